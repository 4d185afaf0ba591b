package tctest_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tafc/tafc/taskcluster/tctest"
)

// caller is a client written out for these tests: it signs by the description of Hawk, and shares nothing with the server.
type caller struct {
	t     *testing.T
	root  string
	creds tctest.Credentials
	only  []string // authorizedScopes, nil for all
	at    func() time.Time
}

func as(t *testing.T, s *tctest.Server, creds tctest.Credentials) *caller {
	return &caller{t: t, root: s.RootURL, creds: creds, at: s.AuthClock().Now}
}

// with restricts the caller to scopes.
func (c caller) with(scopes ...string) *caller {
	c.only = append([]string{}, scopes...)
	return &c
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

func (a answer) code() string { code, _ := a.body["code"].(string); return code }

func (a answer) message() string {
	m, _ := a.body["message"].(string)
	m, _, _ = strings.Cut(m, "\n\n---")
	return m
}

// get digs into the body: get("status", "runs", 0, "state").
func (a answer) get(path ...any) any {
	var v any = a.body
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func (a answer) state() string { s, _ := a.get("status", "state").(string); return s }

func (c *caller) header(method, address string) string {
	if c.creds.ClientID == "" {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil {
		c.t.Fatal(err)
	}
	ext := map[string]any{}
	if c.creds.Certificate != "" {
		ext["certificate"] = json.RawMessage(c.creds.Certificate)
	}
	if c.only != nil {
		ext["authorizedScopes"] = c.only
	}
	extText := ""
	if len(ext) > 0 {
		text, _ := json.Marshal(ext)
		extText = base64.StdEncoding.EncodeToString(text)
	}
	ts, nonce := fmt.Sprint(c.at().Unix()), "abc123"
	text := "hawk.1.header\n" + ts + "\n" + nonce + "\n" + method + "\n" + u.RequestURI() + "\n" + u.Hostname() + "\n" + u.Port() + "\n\n" + extText + "\n"
	h := hmac.New(sha256.New, []byte(c.creds.AccessToken))
	h.Write([]byte(text))
	header := fmt.Sprintf(`Hawk id="%s", ts="%s", nonce="%s", mac="%s"`, c.creds.ClientID, ts, nonce, base64.StdEncoding.EncodeToString(h.Sum(nil)))
	if extText != "" {
		header += fmt.Sprintf(`, ext="%s"`, extText)
	}
	return header
}

var noRedirects = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// call sends body, which may be text, bytes or what becomes JSON, and fails the test when there is no answer.
func (c *caller) call(method, path string, body any) answer {
	c.t.Helper()
	a, err := c.try(method, path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

func (c *caller) try(method, path string, body any) (answer, error) {
	var text []byte
	switch b := body.(type) {
	case nil:
	case string:
		text = []byte(b)
	default:
		text, _ = json.Marshal(b)
	}
	address := path
	if strings.HasPrefix(path, "/") {
		address = c.root + path
	}
	r, err := http.NewRequest(method, address, bytes.NewReader(text))
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if h := c.header(method, address); h != "" {
		r.Header.Set("Authorization", h)
	}
	return send(r)
}

func send(r *http.Request) (answer, error) {
	resp, err := noRedirects.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	raw, err := io.ReadAll(resp.Body)
	a.text = string(raw)
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		_ = json.Unmarshal(raw, &a.body)
	}
	return a, err
}

const queueID = "proj-taf/ci"

// aTask is a definition that is right at the time of the server; changes are set over it, nil takes a field away.
func aTask(s *tctest.Server, changes map[string]any) map[string]any {
	now := s.Clock().Now()
	def := map[string]any{
		"taskQueueId": queueID, "schedulerId": "taf",
		"created": now.Format(time.RFC3339Nano), "deadline": now.Add(time.Hour).Format(time.RFC3339Nano), "expires": now.AddDate(0, 0, 1).Format(time.RFC3339Nano),
		"payload":  map[string]any{},
		"metadata": map[string]any{"name": "n", "description": "d", "owner": "o@example.com", "source": "https://example.com/x"},
	}
	for name, value := range changes {
		if value == nil {
			delete(def, name)
			continue
		}
		def[name] = value
	}
	return def
}

// create creates a task and returns its id.
func (c *caller) create(s *tctest.Server, id string, changes map[string]any) string {
	c.t.Helper()
	if a := c.call("PUT", "/api/queue/v1/task/"+id, aTask(s, changes)); a.status != 200 {
		c.t.Fatalf("createTask %s: %d %s", id, a.status, a.text)
	}
	return id
}

// id makes task ids that can be told apart: id(1), id(2), …
func id(n int) string { return fmt.Sprintf("A%07dQACAAAAAAAAAAA", n) }

func (c *caller) status(id string) answer {
	c.t.Helper()
	return c.call("GET", "/api/queue/v1/task/"+id+"/status", nil)
}

func (c *caller) state(id string) string { c.t.Helper(); return c.status(id).state() }

func wantStatus(t *testing.T, a answer, status int, code string) {
	t.Helper()
	if a.status != status || a.code() != code {
		t.Fatalf("got %d %s, want %d %s\n%s", a.status, a.code(), status, code, a.text)
	}
}
