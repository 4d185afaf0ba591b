package tctest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"
)

// Proxy is the taskcluster-proxy of a run: calls through it act with the scopes of the task, and may create its artifacts.
// Redirects are handed back as they are.
func (s *Server) Proxy(taskID string, runID int) http.Handler {
	return &proxy{s: s, taskID: taskID, runID: runID}
}

// StartProxy serves [Server.Proxy] on loopback until the test ends, and returns its address: what TASKCLUSTER_PROXY_URL is.
func (s *Server) StartProxy(t TB, taskID string, runID int) string {
	p := httptest.NewServer(s.Proxy(taskID, runID))
	t.Cleanup(p.Close)
	return p.URL
}

type proxy struct {
	s      *Server
	taskID string
	runID  int
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	creds, scopes, ok := p.credentials()
	if !ok {
		http.Error(w, "no such run", http.StatusNotFound)
		return
	}
	if r.URL.Path == "/bewit" {
		p.bewit(w, r, creds)
		return
	}
	if path := r.URL.EscapedPath(); !strings.HasPrefix(path, "/api/") { // as older programs call: /queue/v1/…
		r.URL.Path = "/api" + r.URL.Path
		if r.URL.RawPath != "" {
			r.URL.RawPath = "/api" + r.URL.RawPath
		}
	}
	if n := headerLength(creds, scopes); n > maxAuthHeader {
		writeJSON(w, r, http.StatusUnauthorized, map[string]string{"code": "AuthenticationFailed", "message": "Bad Request: Header length too long"})
		return
	}
	r.Header.Del("Authorization")
	p.s.auth.mu.RLock()
	who := &principal{clientID: creds.ClientID, scopes: p.s.expand(scopes)}
	p.s.auth.mu.RUnlock()
	p.s.ServeHTTP(w, r.WithContext(withPrincipal(r.Context(), who)))
}

// credentials are those of the run, and the scopes that the proxy restricts them to.
func (p *proxy) credentials() (Credentials, []string, bool) {
	q := p.s.queue
	q.settle()
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.tasks[p.taskID]
	if t == nil || t.run(p.runID) == nil {
		return Credentials{}, nil, false
	}
	scopes := append([]string{fmt.Sprintf("queue:create-artifact:%s/%d", p.taskID, p.runID)}, t.def.Scopes...)
	return q.claimOf(t, p.runID).Credentials, scopes, true
}

// headerLength is how long the header is that the proxy signs with: scopes are in it twice.
func headerLength(creds Credentials, scopes []string) int {
	ext, _ := json.Marshal(map[string]any{"certificate": json.RawMessage(creds.Certificate), "authorizedScopes": scopes})
	const others = len(`Hawk id="", mac="", ts="1700000000", nonce="01234567", ext=""`) + 44
	return others + len(creds.ClientID) + base64.StdEncoding.EncodedLen(len(ext))
}

// bewit signs the address in the body for an hour.
func (p *proxy) bewit(w http.ResponseWriter, r *http.Request, creds Credentials) {
	body, _ := io.ReadAll(r.Body)
	target, err := url.Parse(strings.TrimSpace(string(body)))
	if r.Method != http.MethodPost || err != nil || target.Host == "" {
		http.Error(w, "POST the URL to sign", http.StatusBadRequest)
		return
	}
	signed := signURL(target, creds, p.s.authClock.Now().Add(time.Hour))
	w.Header().Set("Location", signed)
	w.WriteHeader(http.StatusSeeOther)
	_, _ = io.WriteString(w, signed)
}

// signURL adds a bewit to an address.
func signURL(target *url.URL, creds Credentials, expiry time.Time) string {
	ext := ""
	if creds.Certificate != "" {
		text, _ := json.Marshal(map[string]any{"certificate": json.RawMessage(creds.Certificate)})
		ext = base64.StdEncoding.EncodeToString(text)
	}
	exp := fmt.Sprint(expiry.Unix())
	sum := mac(creds.AccessToken, normalized("bewit", exp, "", http.MethodGet, target.RequestURI(), &http.Request{Host: target.Host}, "", ext))
	text := strings.Join([]string{creds.ClientID, exp, base64.StdEncoding.EncodeToString(sum), ext}, `\`)
	signed := *target
	if signed.RawQuery != "" {
		signed.RawQuery += "&"
	}
	signed.RawQuery += "bewit=" + base64.RawURLEncoding.EncodeToString([]byte(text))
	return signed.String()
}
