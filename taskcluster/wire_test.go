package taskcluster_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/hawk"
	"github.com/tafc/tafc/taskcluster/hawk/hawktest"
)

// wireDir has exchanges recorded with a real deployment (v106). It is not part of the repository.
const wireDir = "../../shared/facts/taskcluster-wire"

// schemasDir has the references and schemas of two deployments.
const schemasDir = "../../shared/facts/taskcluster-schemas"

// exchange is a recorded request and its answer. Some files have an answer alone.
type exchange struct {
	file       string
	RecordedAt time.Time
	Request    struct {
		Method  string
		Path    string
		Query   map[string]string
		Headers map[string]any
		Body    any
	}
	Response recordedAnswer

	body json.RawMessage // the request's, as it stands in the file
}

type recordedAnswer struct {
	Status  int
	Headers map[string]string
	Body    any
}

// exchanges reads what INDEX.json lists.
func exchanges(t *testing.T) []exchange {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(wireDir, "INDEX.json"))
	if err != nil {
		t.Skipf("no recorded exchanges: %v", err)
	}
	var index []struct{ File string }
	if err := json.Unmarshal(text, &index); err != nil {
		t.Fatal(err)
	}
	var all []exchange
	for _, entry := range index {
		text, err := os.ReadFile(filepath.Join(wireDir, entry.File))
		if err != nil {
			t.Fatal(err)
		}
		var x exchange
		_ = json.Unmarshal(text, &x) // some are something else
		if x.Response.Status == 0 {
			_ = json.Unmarshal(text, &x.Response)
		}
		var whole struct {
			Request struct{ Body json.RawMessage }
		}
		_ = json.Unmarshal(text, &whole)
		x.body = whole.Request.Body
		x.file = strings.TrimSuffix(entry.File, ".json")
		all = append(all, x)
	}
	return all
}

// recorded answers requests as they were answered when they were recorded, and keeps what came.
type recorded struct {
	t         *testing.T
	first     exchange
	all       []exchange
	mu        sync.Mutex
	requests  []*http.Request
	bodies    [][]byte
	continued []string // files of further pages that were asked for
}

func (s *recorded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/references/") || strings.HasPrefix(r.URL.Path, "/schemas/") {
		version := "v106.0.0"
		if s.first.file == "pendingTasks" {
			version = "v44.23.4" // newer ones ask otherwise
		}
		http.ServeFile(w, r, filepath.Join(schemasDir, version, "generated", r.URL.Path))
		return
	}
	body, _ := io.ReadAll(r.Body)
	s.requests, s.bodies = append(s.requests, r), append(s.bodies, body)
	answer := s.first
	if token := r.URL.Query().Get("continuationToken"); token != "" {
		found := false
		for _, x := range s.all {
			if x.Request.Path == s.first.Request.Path && x.Request.Query["continuationToken"] == token {
				answer, found = x, true
				s.continued = append(s.continued, x.file)
			}
		}
		if !found {
			_, _ = io.WriteString(w, "{}") // the further pages were not recorded
			return
		}
	}
	write(w, answer.Response)
}

func write(w http.ResponseWriter, a recordedAnswer) {
	for name, value := range a.Headers {
		switch name {
		case "content-type", "location", "x-taskcluster-artifact-storage-type", "www-authenticate":
			w.Header().Set(name, value)
		}
	}
	w.WriteHeader(a.Status)
	if text, ok := a.Body.(string); ok {
		_, _ = io.WriteString(w, text)
	} else if a.Status != http.StatusNoContent {
		_ = json.NewEncoder(w).Encode(a.Body)
	}
}

// clientFor makes a client that is who made the recorded request, at that time.
func clientFor(t *testing.T, x exchange, root string) *taskcluster.Client {
	t.Helper()
	config := taskcluster.Config{RootURL: root, Retry: taskcluster.Retry{Tries: 1}, Now: func() time.Time { return x.RecordedAt }}
	if header, ok := x.Request.Headers["authorization"].(string); ok {
		a, err := hawktest.ParseHeader(header)
		if err != nil {
			t.Fatalf("the recorded header: %v", err)
		}
		config.Credentials = &taskcluster.Credentials{ClientID: a.ID, AccessToken: "token"}
		if a.Ext != "" {
			var ext struct {
				Certificate      json.RawMessage
				AuthorizedScopes []string
			}
			if err := json.Unmarshal(unbase64(t, a.Ext), &ext); err != nil {
				t.Fatal(err)
			}
			config.Credentials.Certificate, config.Credentials.AuthorizedScopes = string(ext.Certificate), ext.AuthorizedScopes
		}
	}
	client, err := taskcluster.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestWire makes each recorded call again, against its recorded answer: the client must send what was sent and understand what came back.
func TestWire(t *testing.T) {
	all := exchanges(t)
	used, idle := map[string]bool{}, map[string]string{}
	for _, x := range all {
		mode, reason := modeOf(x)
		if mode == unused {
			idle[x.file] = reason
			continue
		}
		t.Run(x.file, func(t *testing.T) {
			for _, file := range replay(t, x, all, mode) {
				used[file] = true
			}
		})
	}
	for file, reason := range idle {
		if used[file] { // another list went on with it
			delete(idle, file)
			continue
		}
		t.Logf("not used: %s: %s", file, reason)
	}
	t.Logf("%d of %d recorded exchanges used", len(used), len(all))
	if len(used)+len(idle) != len(all) || len(used) < 270 {
		t.Errorf("%d used, %d not for a reason, of %d", len(used), len(idle), len(all))
	}
}

// replay makes the call of x again and returns the files that were used for it.
func replay(t *testing.T, x exchange, all []exchange, mode mode) []string {
	s := &recorded{t: t, first: x, all: all}
	server := httptest.NewServer(s)
	defer server.Close()
	client := clientFor(t, x, server.URL)
	if mode == content {
		return []string{readContent(t, x, client, server.URL, s)}
	}
	r, params := find(x)
	if r == nil && mode == answerOnly {
		r, params = &anyCall, nil
	}
	if r == nil {
		t.Fatalf("%s %s is no call of the client, and modeOf does not say why", x.Request.Method, x.Request.Path)
	}
	got, err := r.call(t, client, x, params)
	if mode == refused {
		if _, ok := err.(*taskcluster.BodyError); !ok || len(s.requests) > 0 {
			t.Errorf("%d requests; %v", len(s.requests), err)
		}
		return []string{x.file}
	}
	if len(s.requests) == 0 {
		t.Fatalf("no request was made: %v", err)
	}
	if mode == replayed {
		compareRequest(t, x, s.requests[0], s.bodies[0])
	}
	if x.Response.Status >= 400 {
		compareError(t, x, err)
	} else if err != nil {
		t.Errorf("%v", err)
	} else if diff := cmp.Diff(r.want(x, s), normal(t, got)); diff != "" && r != &anyCall {
		t.Errorf("result (-recorded +got):\n%s", diff)
	}
	return append(s.continued, x.file)
}

// readContent reads what a store answered.
func readContent(t *testing.T, x exchange, client *taskcluster.Client, root string, s *recorded) string {
	r, err := client.OpenContent(background, &taskcluster.ArtifactContent{StorageType: "s3", URL: root + "/bucket/key?X-Amz-Signature=x"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil || string(text) != x.Response.Body || r.ContentType != "text/plain" {
		t.Errorf("%q, %s, %v", text, r.ContentType, err)
	}
	if got := s.requests[0].Header.Get("Authorization"); got != "" {
		t.Errorf("the store was sent %q", got)
	}
	return x.file
}

func compareRequest(t *testing.T, x exchange, r *http.Request, body []byte) {
	t.Helper()
	path, err := url.PathUnescape(x.Request.Path)
	if err != nil {
		t.Fatal(err)
	}
	if r.Method != x.Request.Method || r.URL.Path != path {
		t.Errorf("request %s %s, recorded %s %s", r.Method, r.URL.Path, x.Request.Method, path)
	}
	query := map[string]string{}
	for name := range r.URL.Query() {
		query[name] = r.URL.Query().Get(name)
	}
	if x.Request.Query == nil {
		x.Request.Query = map[string]string{}
	}
	if diff := cmp.Diff(x.Request.Query, query); diff != "" {
		t.Errorf("query (-recorded +sent):\n%s", diff)
	}
	recordedHeader, signed := x.Request.Headers["authorization"].(string)
	if signed != (r.Header.Get("Authorization") != "") {
		t.Fatalf("signed: recorded %v, sent %q", signed, r.Header.Get("Authorization"))
	}
	if signed {
		want, _ := hawktest.ParseHeader(recordedHeader)
		got, err := hawktest.ParseHeader(r.Header.Get("Authorization"))
		if err != nil {
			t.Fatal(err)
		}
		if got.ID != want.ID || got.Ext != want.Ext || len(got.Nonce) < 6 || got.Time.Sub(x.RecordedAt).Abs() > time.Second {
			t.Errorf("header %+v, recorded %+v at %v", got, want, x.RecordedAt)
		}
		u := *r.URL
		u.Scheme, u.Host = "http", r.Host
		again, _ := hawk.Header(hawk.Request{Method: r.Method, URL: &u, Time: got.Time, Nonce: got.Nonce, Ext: got.Ext}, got.ID, "token")
		if again != r.Header.Get("Authorization") {
			t.Errorf("signed as %s, what arrived is %s", r.Header.Get("Authorization"), again)
		}
	}
	var sent any
	if len(body) > 0 {
		if err := json.Unmarshal(body, &sent); err != nil {
			t.Fatal(err)
		}
		if r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("content type %q", r.Header.Get("Content-Type"))
		}
	}
	if diff := cmp.Diff(clean(x.Request.Body), clean(sent)); diff != "" {
		t.Errorf("body (-recorded +sent):\n%s", diff)
	}
}

func compareError(t *testing.T, x exchange, err error) {
	t.Helper()
	if x.Response.Status == http.StatusFailedDependency {
		if e, ok := err.(*taskcluster.ArtifactError); !ok || e.Reason != "file-missing-on-worker" || e.Message != "not here" {
			t.Errorf("%#v", err)
		}
		return
	}
	e, ok := err.(*taskcluster.Error)
	if !ok {
		t.Fatalf("error %T: %v", err, err)
	}
	body, _ := x.Response.Body.(map[string]any)
	code, _ := body["code"].(string)
	if e.StatusCode != x.Response.Status || e.Code != code || e.Message == "" {
		t.Errorf("error %#v", e)
	}
	if (code == taskcluster.CodeInsufficientScopes) == e.Missing.IsZero() {
		t.Errorf("missing scopes %v of %v", e.Missing, e)
	}
	noEcho(t, e, x.Request.Body)
}

// noEcho checks that an error says nothing of the values of the payload that was sent.
func noEcho(t *testing.T, err error, body any) {
	t.Helper()
	object, _ := body.(map[string]any)
	for _, word := range words(object["payload"]) {
		if len(word) > 3 && strings.Contains(err.Error(), word) {
			t.Errorf("the error repeats %q of the payload: %v", word, err)
		}
	}
	if strings.Contains(err.Error(), "\n") || len(err.Error()) > 3000 {
		t.Errorf("an error of %d bytes: %q", len(err.Error()), err)
	}
}

func words(v any) []string {
	var all []string
	switch v := v.(type) {
	case string:
		all = append(all, v)
	case []any:
		for _, x := range v {
			all = append(all, words(x)...)
		}
	case map[string]any:
		for _, x := range v {
			all = append(all, words(x)...)
		}
	}
	return all
}

// normal is v as JSON reads it, cleaned.
func normal(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back any
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	return clean(back)
}

var timePattern = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`)

// clean makes equal what means the same: absent, null and empty; two ways to write a time.
func clean(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			if x = clean(x); x != nil {
				out[k] = x
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, clean(x))
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case string:
		if timePattern.MatchString(v) {
			if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
				return at.UTC().Format(time.RFC3339Nano)
			}
		}
	}
	return v
}

func collect[T any](t *testing.T, seq func(yield func(T, error) bool)) ([]T, error) {
	t.Helper()
	var all []T
	for x, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, x)
	}
	return all, nil
}

var background = context.Background()
