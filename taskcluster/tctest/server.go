package tctest

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"
)

// Options of a server. The zero value is a Taskcluster v106 with the computer's clock.
type Options struct {
	// Version is the Taskcluster release that the server plays, 106 when zero. What came later than that is not served.
	Version int
	// Clock is the time of tasks, runs, artifacts and the index.
	Clock *Clock
	// AuthClock is the time that signatures are checked against, also that of the Date header: the computer's clock when nil, since
	// clients sign by theirs. Moving it plays a client whose clock is off.
	AuthClock *Clock
	// Addr is the address to listen on, a free port of 127.0.0.1 when empty.
	Addr string
	// Anonymous are the scopes of the role anonymous; nil gives it what deployments grant. An empty slice grants nothing.
	Anonymous []string
	// Buckets are the credentials that awsS3Credentials hands out, by bucket.
	Buckets map[string]BucketCredentials
	// Pools are the worker pools that there are; nil: each that is asked for.
	Pools []string
	// PageSize is the most that one page of a list holds, 1000 when zero. Pages are then shorter than the limit asked for.
	PageSize int
	// MaxDeadlineDays is how far a deadline may be off, 5 when zero.
	MaxDeadlineDays int
	// ClaimTimeout is how long a claim lasts, 20 minutes when zero.
	ClaimTimeout time.Duration
	// LongPoll is how long claimWork waits for work, 20 seconds when zero; it is measured by the computer's clock.
	LongPoll time.Duration
	// BuiltinDelay is how long a built-in task takes, and ScheduleDelay how long it takes until a task follows its last dependency.
	BuiltinDelay, ScheduleDelay time.Duration
	// IndexDelay is how long it takes until a completed task is in the index.
	IndexDelay time.Duration
	// FrontLimit, when set, plays a reverse proxy that answers 413 and HTML for bodies longer than so many bytes.
	FrontLimit int64
}

// BucketCredentials are credentials for one bucket.
type BucketCredentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
}

// TB is the part of testing.TB that New needs.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Server is a Taskcluster in this process.
type Server struct {
	// RootURL is where it listens.
	RootURL string

	options   Options
	version   int
	clock     *Clock
	authClock *Clock
	http      *httptest.Server
	done      chan struct{}
	started   time.Time

	services map[string][]*method
	schemas  map[string]*schema
	auth     authService
	queue    *queue
	index    *index
	secrets  secretStore
	notes    notebook
	objects  objectService
	blobs    *blobStore
	log      callLog
}

// New starts a server that stops with the test.
func New(t TB, o Options) *Server {
	t.Helper()
	s, err := Start(o)
	if err != nil {
		t.Fatalf("tctest: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start starts a server; Close stops it.
func Start(o Options) (*Server, error) {
	if o.Version == 0 {
		o.Version = 106
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	s := &Server{options: o, version: o.Version, clock: o.Clock, authClock: o.AuthClock, done: make(chan struct{}), started: time.Now()}
	if s.clock == nil {
		s.clock = &Clock{}
	}
	if s.authClock == nil {
		s.authClock = &Clock{}
	}
	listener, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, err
	}
	s.setUp()
	s.http = httptest.NewUnstartedServer(s)
	s.http.Listener.Close()
	s.http.Listener = listener
	s.http.Start()
	s.RootURL = s.http.URL
	return s, nil
}

func (s *Server) setUp() {
	s.schemas = schemas(s.version)
	s.services = map[string][]*method{}
	for _, m := range methods() {
		if m.since <= s.version {
			s.services[m.service] = append(s.services[m.service], m)
		}
	}
	now := s.clock.Now()
	s.auth.clients = map[string]*client{queueIssuer: {token: slug() + slug(), scopes: []string{"*"}, created: now}}
	anonymous := s.options.Anonymous
	if anonymous == nil {
		anonymous = anonymousScopes
	}
	s.auth.roles = map[string]*role{"anonymous": {scopes: anonymous, description: "everyone", created: now}}
	s.queue = newQueue(s)
	s.index = newIndex()
	s.secrets.byName = map[string]secret{}
	s.objects.byName = map[string]*object{}
	s.blobs = newBlobStore()
}

// Close stops the server; what waits for work gets none.
func (s *Server) Close() {
	select {
	case <-s.done:
		return
	default:
		close(s.done)
	}
	s.http.CloseClientConnections()
	s.http.Close()
}

// Clock is the time of tasks.
func (s *Server) Clock() *Clock { return s.clock }

// AuthClock is the time that signatures are checked against.
func (s *Server) AuthClock() *Clock { return s.authClock }

// Credentials makes a client that holds scopes.
func (s *Server) Credentials(scopes ...string) Credentials {
	return s.Client("static/test/"+slug(), scopes...)
}

// Client makes, or replaces, the client of a name.
func (s *Server) Client(id string, scopes ...string) Credentials {
	c := &client{token: slug() + slug(), scopes: scopes, created: s.clock.Now()}
	s.auth.mu.Lock()
	defer s.auth.mu.Unlock()
	s.auth.clients[id] = c
	return Credentials{ClientID: id, AccessToken: c.token}
}

// Admin is a client that may do everything.
func (s *Server) Admin() Credentials {
	const id = "static/test/admin"
	s.auth.mu.RLock()
	c := s.auth.clients[id]
	s.auth.mu.RUnlock()
	if c == nil {
		return s.Client(id, "*")
	}
	return Credentials{ClientID: id, AccessToken: c.token}
}

// Role makes, or replaces, a role.
func (s *Server) Role(id string, scopes ...string) {
	s.auth.mu.Lock()
	defer s.auth.mu.Unlock()
	s.auth.roles[id] = &role{scopes: scopes, created: s.clock.Now()}
}

// Temporary makes temporary credentials of c, which must be permanent, that last for life.
func (s *Server) Temporary(c Credentials, name string, life time.Duration, scopes ...string) Credentials {
	now := s.authClock.Now()
	return issue(c.ClientID, c.AccessToken, name, scopes, now, now.Add(life))
}

// Env is the environment of a program that uses the server with the credentials, as lists of processes want it.
func (s *Server) Env(c Credentials) []string {
	env := []string{"TASKCLUSTER_ROOT_URL=" + s.RootURL}
	for name, value := range map[string]string{"TASKCLUSTER_CLIENT_ID": c.ClientID, "TASKCLUSTER_ACCESS_TOKEN": c.AccessToken,
		"TASKCLUSTER_CERTIFICATE": c.Certificate} {
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.authClock.Now().Format(http.TimeFormat))
	path := r.URL.EscapedPath()
	switch {
	case strings.HasPrefix(path, "/api/"):
		s.serveAPI(w, r, strings.TrimPrefix(path, "/api/"))
	case strings.HasPrefix(path, "/schemas/"), strings.HasPrefix(path, "/references/"):
		s.serveReference(w, r)
	case strings.HasPrefix(path, "/storage/"):
		s.blobs.serve(s, w, r)
	case strings.HasPrefix(path, "/__"):
		w.WriteHeader(http.StatusOK)
	default: // the pages for people
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<html><title>Taskcluster</title></html>\n"))
	}
}

// Setenv is the part of testing.T that sets a variable.
type Setenv interface{ Setenv(name, value string) }

// Export sets the environment of this process to use the server with the credentials, until the end of the test.
func (s *Server) Export(t Setenv, c Credentials) {
	for _, name := range []string{"TASKCLUSTER_PROXY_URL", "TASKCLUSTER_CERTIFICATE"} {
		if _, set := os.LookupEnv(name); set {
			t.Setenv(name, "")
		}
	}
	for _, pair := range s.Env(c) {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
}
