package s3test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Proxy passes requests on to a server, counts them, and makes the faults that it is told to make. It forwards the Host header, so
// that signatures stay right.
type Proxy struct {
	Endpoint string

	mu       sync.Mutex
	requests []Request
	fault    func(Request) Fault
}

// Request is one request that the proxy got.
type Request struct {
	Number int // counted from 1
	Method string
	Path   string
	Query  url.Values
	Header http.Header
}

// IsList tells whether the request lists a bucket.
func (r Request) IsList() bool { return r.Query.Get("list-type") == "2" }

// Fault is what happens to a request. The zero value passes it on.
type Fault struct {
	Reset    bool          // the connection ends without an answer
	Status   int           // an error answer, with this code
	Code     string        // of the error, such as SlowDown
	Stall    time.Duration // before the request is passed on, or until the client goes
	Truncate int           // the answer ends after so many bytes, without an end
	Hang     int           // nothing more comes after so many bytes, until the client goes
	Header   http.Header   // of an error answer
	Take     int           // the connection ends when so many bytes of the request's body were taken
	Lose     bool          // the request is carried out, and the connection ends instead of the answer
}

// NewProxy starts a proxy that ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		Transport:    &http.Transport{MaxIdleConnsPerHost: 64},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(forward, w, r) }))
	t.Cleanup(server.Close)
	p.Endpoint = server.URL
	return p
}

// Faults sets what happens to requests from now on; nil means nothing. It is called for one request at a time.
func (p *Proxy) Faults(fault func(Request) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// Requests are the requests so far.
func (p *Proxy) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Request{}, p.requests...)
}

// Lists counts the requests so far that listed a bucket.
func (p *Proxy) Lists() int {
	n := 0
	for _, r := range p.Requests() {
		if r.IsList() {
			n++
		}
	}
	return n
}

// Reset forgets the requests so far.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = nil
}

func (p *Proxy) record(r *http.Request) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	req := Request{Number: len(p.requests) + 1, Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone()}
	p.requests = append(p.requests, req)
	if p.fault == nil {
		return Fault{}
	}
	return p.fault(req)
}

func (p *Proxy) serve(forward http.Handler, w http.ResponseWriter, r *http.Request) {
	f := p.record(r)
	if f.Stall > 0 {
		select {
		case <-r.Context().Done():
		case <-time.After(f.Stall):
		}
	}
	switch {
	case f.Reset:
		panic(http.ErrAbortHandler)
	case f.Take > 0:
		_, _ = io.CopyN(io.Discard, r.Body, int64(f.Take))
		panic(http.ErrAbortHandler)
	case f.Lose:
		forward.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case f.Status != 0:
		for name, values := range f.Header {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(f.Status)
		if r.Method != http.MethodHead {
			_, _ = io.WriteString(w, "<Error><Code>"+f.Code+"</Code><Message>made by a test</Message></Error>")
		}
	case f.Truncate > 0:
		forward.ServeHTTP(&truncated{ResponseWriter: w, left: f.Truncate}, r)
	case f.Hang > 0:
		forward.ServeHTTP(&truncated{ResponseWriter: w, left: f.Hang, hang: r.Context().Done()}, r)
	default:
		forward.ServeHTTP(w, r)
	}
}

// truncated ends an answer early, as a broken connection does.
type truncated struct {
	http.ResponseWriter
	left int
	hang <-chan struct{} // nil: it ends at once
}

func (t *truncated) Write(b []byte) (int, error) {
	if len(b) < t.left {
		t.left -= len(b)
		return t.ResponseWriter.Write(b)
	}
	_, _ = t.ResponseWriter.Write(b[:t.left])
	if f, ok := t.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
	if t.hang != nil {
		<-t.hang
	}
	panic(http.ErrAbortHandler)
}

// String is the request in a line, for messages of tests.
func (r Request) String() string {
	return strings.Join([]string{strconv.Itoa(r.Number), r.Method, r.Path, r.Query.Encode()}, " ")
}
