package taskcluster

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Client calls the services of a deployment. It may be used by many goroutines at once.
type Client struct {
	Queue   Queue
	Worker  Worker
	Index   Index
	Auth    Auth
	Workers WorkerManager
	Secrets Secrets
	Notify  Notify
	Object  Object

	caller   *caller
	content  *http.Client // for the content of artifacts: follows redirects, signs nothing
	retry    Retry        // of content
	rootURL  string
	features *featureCache
}

// proxyAnswer is how long the proxy of a task may take: it tries calls again itself, for a quarter of an hour.
const proxyAnswer = 16 * time.Minute

// New makes a client. It calls nobody yet.
func New(c Config) (*Client, error) {
	target, credentials, err := c.target()
	if err != nil {
		return nil, err
	}
	api, content := httpClients(c.HTTP)
	call := &caller{root: target, credentials: credentials, http: api, retry: c.Retry.withDefaults(), userAgent: c.UserAgent, now: c.Now}
	if call.userAgent == "" {
		call.userAgent = "tafc"
	}
	if call.now == nil {
		call.now = time.Now
	}
	if c.ProxyURL != "" && c.Retry.Answer == 0 {
		call.retry.Answer = proxyAnswer
	}
	if credentials != nil {
		if call.ext, err = credentials.ext(); err != nil {
			return nil, err
		}
	}
	rootURL := target
	if c.RootURL != "" {
		if rootURL, err = root(c.RootURL); err != nil {
			return nil, err
		}
	}
	parallel := c.Parallel
	if parallel <= 0 {
		parallel = 16
	}
	// A task makes few calls: each tells by itself whether it is there. The deployment may not even be reachable but through the proxy.
	features := &featureCache{root: rootURL, caller: call, unknown: c.ProxyURL != ""}
	many := many{features: features, parallel: parallel}
	q := &queue{caller: call, many: many}
	return &Client{
		Queue:    q,
		Worker:   q,
		Index:    &index{caller: call, many: many},
		Auth:     &auth{call},
		Workers:  &workers{call},
		Secrets:  &secrets{call},
		Notify:   &notify{call},
		Object:   &object{call},
		caller:   call,
		content:  content,
		retry:    c.Retry.withDefaults(),
		rootURL:  rootURL.String(),
		features: features,
	}, nil
}

// httpClients are the one for calls, which must see redirects, and the one for content, which follows them. Both share connections.
func httpClients(given *http.Client) (api, content *http.Client) {
	base := http.Client{Transport: sharedTransport()}
	if given != nil {
		base = *given
	}
	calls := base
	calls.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &calls, &base
}

// sharedTransport keeps as many connections to one host as an engine makes calls at a time; the default keeps two.
var sharedTransport = sync.OnceValue(func() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns = 0
	t.MaxIdleConnsPerHost = 64
	return t
})

// RootURL is the address of the deployment, for links; never that of a task's proxy unless no other is known.
func (c *Client) RootURL() string { return c.rootURL }

// Signs says whether calls are signed by the client itself, and with which client id.
func (c *Client) Signs() (clientID string, ok bool) {
	if c.caller.credentials == nil {
		return "", false
	}
	return c.caller.credentials.ClientID, true
}

// Proxied says whether calls go to the proxy of a task, which signs them in the name of the task.
func (c *Client) Proxied() bool { return c.caller.root.String() != c.rootURL }

// ClockSkew is how far this computer's clock is ahead of the deployment's, to about a second and half of what the call takes.
// Services refuse signatures that are more than 15 minutes off.
func (c *Client) ClockSkew(ctx context.Context) (time.Duration, error) {
	before := c.caller.now()
	a, err := c.caller.do(ctx, call{service: "auth", name: "ping", method: http.MethodGet, path: "/ping"})
	if err != nil {
		return 0, err
	}
	theirs, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return 0, err
	}
	after := c.caller.now()
	middle := before.Add(after.Sub(before) / 2)
	return middle.Sub(theirs.Add(500 * time.Millisecond)), nil // the header has whole seconds, rounded down
}

func ping(ctx context.Context, c *caller, service string) error {
	_, err := c.do(ctx, call{service: service, name: "ping", method: http.MethodGet, path: "/ping"})
	return err
}

// limited is the query of a page.
func limited(limit int, token string) url.Values {
	query := url.Values{}
	if limit > 0 {
		query.Set("limit", itoa(limit))
	}
	if token != "" {
		query.Set("continuationToken", token)
	}
	return query
}
