package tctest

import (
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Call is one call of the API, numbered from 1 in the order in which calls arrived.
type Call struct {
	N          int
	Service    string // queue, index, …
	Method     string // createTask, …; empty when there is no such method
	HTTPMethod string
	Path       string // with the query
	Params     map[string]string
	Body       []byte
	Status     int // of the answer, once it is decided; 0 when the connection was broken instead
}

// Fault is a fault of the network or of a service. Without an effect it only counts.
type Fault struct {
	// Method names the method that it befalls, all when empty; Match narrows it down.
	Method string
	Match  func(Call) bool
	// Skip leaves so many matching calls alone first; Times is how many it then befalls, one when zero, all when negative.
	Skip, Times int

	// Delay keeps the call waiting, before anything else.
	Delay time.Duration
	// Status answers so without doing anything; the 5xx of a proxy in front (502, 503, 504) come with HTML.
	Status int
	// Reset breaks the connection before anything is done.
	Reset bool
	// LoseAnswer does what is asked for, then breaks the connection.
	LoseAnswer bool

	seen, done int
}

// callLog counts calls and holds what is to befall them.
type callLog struct {
	mu     sync.Mutex
	n      int
	calls  []Call
	faults []*Fault
	before []func(Call) *Fault
	after  []func(Call)
}

// Inject asks for a fault. All faults see a call that they match, one befalls it: the first that is due.
func (s *Server) Inject(f Fault) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.faults = append(s.log.faults, &f)
}

// ClearFaults takes back what was asked for with Inject.
func (s *Server) ClearFaults() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.faults = nil
}

// BeforeCall has f see each call before anything is done; the fault that it returns, if any, befalls the call.
func (s *Server) BeforeCall(f func(Call) *Fault) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.before = append(s.log.before, f)
}

// AfterCall has f see each call when its answer is decided, before the client can see it.
func (s *Server) AfterCall(f func(Call)) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.after = append(s.log.after, f)
}

// Calls are the calls whose answer is decided, of the methods named, or of all.
func (s *Server) Calls(methods ...string) []Call {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if len(methods) == 0 {
		return slices.Clone(s.log.calls)
	}
	return slices.DeleteFunc(slices.Clone(s.log.calls), func(c Call) bool { return !slices.Contains(methods, c.Method) })
}

// ResetCalls forgets the calls so far, and counts from 1 again.
func (s *Server) ResetCalls() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.calls, s.log.n = nil, 0
}

// SetAuthDown makes the auth service unreachable for the others, or reachable again: then what needs to know who calls answers 500.
func (s *Server) SetAuthDown(down bool) {
	s.auth.mu.Lock()
	defer s.auth.mu.Unlock()
	s.auth.down = down
}

// begin counts a call and returns what is to befall it, or nil.
func (l *callLog) begin(c *Call) *Fault {
	l.mu.Lock()
	l.n++
	c.N = l.n
	before := slices.Clone(l.before)
	var found *Fault
	for _, f := range l.faults {
		if f.Method != "" && f.Method != c.Method || f.Match != nil && !f.Match(*c) {
			continue
		}
		f.seen++
		if found != nil || f.seen <= f.Skip || f.Times >= 0 && f.done >= max(f.Times, 1) {
			continue
		}
		f.done++
		found = f
	}
	l.mu.Unlock()
	for _, see := range before {
		if f := see(*c); f != nil && found == nil {
			found = f
		}
	}
	return found
}

func (l *callLog) end(c Call) {
	l.mu.Lock()
	l.calls = append(l.calls, c)
	after := slices.Clone(l.after)
	l.mu.Unlock()
	for _, see := range after {
		see(c)
	}
}

// before plays what happens before the call is handled; false when it is not to be handled.
func (f *Fault) before(c *call, w *statusWriter) bool {
	if f == nil {
		return true
	}
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-c.r.Context().Done():
		case <-c.s.done:
		}
	}
	switch {
	case f.Reset:
		w.decided()
		reset(w.ResponseWriter)
		return false
	case f.Status == http.StatusInternalServerError && c.m != nil:
		c.writeError(internal("Error: injected"))
		return false
	case f.Status != 0:
		writeHTML(c.w, f.Status)
		return false
	}
	return true
}

// reset breaks the connection, so that the client sees no answer.
func reset(w http.ResponseWriter) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
