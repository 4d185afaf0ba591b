package taskcluster

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config is where a client calls, in whose name, and how. What is zero has a default, or comes from the environment (WithEnv).
type Config struct {
	// RootURL is the address of the deployment, such as https://tc.example.com, also for links for people.
	RootURL string
	// ProxyURL is the address of the proxy of a task. Calls go there and are not signed; the proxy does that in the name of the task.
	ProxyURL    string
	Credentials *Credentials // nil: calls are not signed
	HTTP        *http.Client // nil: one of the client's own
	Retry       Retry
	// Parallel is how many single calls are made at a time where a deployment has no call for many; 0 is 16.
	Parallel  int
	UserAgent string           // "tafc" when empty
	Now       func() time.Time // the clock that signatures and expiries go by; nil is time.Now
}

// The variables of the environment that WithEnv reads.
const (
	EnvRootURL     = "TASKCLUSTER_ROOT_URL"
	EnvProxyURL    = "TASKCLUSTER_PROXY_URL"
	EnvClientID    = "TASKCLUSTER_CLIENT_ID"
	EnvAccessToken = "TASKCLUSTER_ACCESS_TOKEN"
	EnvCertificate = "TASKCLUSTER_CERTIFICATE"
)

// WithEnv completes the configuration from the environment, of which getenv (os.Getenv) tells a variable. What c has wins: with the RootURL of
// another deployment, or Credentials of its own, it goes there itself, also inside a task that has a proxy.
func (c Config) WithEnv(getenv func(string) string) Config {
	here := getenv(EnvRootURL)
	elsewhere := c.RootURL != "" && strings.TrimRight(c.RootURL, "/") != strings.TrimRight(here, "/")
	if !elsewhere && c.ProxyURL == "" && c.Credentials == nil {
		c.ProxyURL = getenv(EnvProxyURL)
	}
	if c.RootURL == "" {
		c.RootURL = here
	}
	id, token := getenv(EnvClientID), getenv(EnvAccessToken)
	if c.Credentials == nil && c.ProxyURL == "" && (id != "" || token != "") {
		c.Credentials = &Credentials{ClientID: id, AccessToken: token, Certificate: getenv(EnvCertificate)}
	}
	return c
}

// target is where calls go and whether they are signed.
func (c Config) target() (*url.URL, *Credentials, error) {
	if c.ProxyURL != "" {
		u, err := root(c.ProxyURL)
		return u, nil, err
	}
	if c.RootURL == "" {
		return nil, nil, fmt.Errorf("no address of a Taskcluster deployment: set %s, or root_url in the engine block", EnvRootURL)
	}
	u, err := root(c.RootURL)
	if err == nil && c.Credentials != nil {
		err = c.Credentials.check()
	}
	return u, c.Credentials, err
}

// root reads the URL of a deployment. Services are below it, so that it has no path itself.
func root(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(text, "/"))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the address of the Taskcluster deployment is not a URL: %w", errors.Unwrap(err))
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return nil, fmt.Errorf("the address of the Taskcluster deployment must start with https:// or http:// and have a host, not be %q", text)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("the address of the Taskcluster deployment must be a scheme and a host alone, such as https://tc.example.com")
	case u.Path != "":
		return nil, fmt.Errorf("the address of the Taskcluster deployment must have no path, but has %q", u.Path)
	}
	return u, nil
}
