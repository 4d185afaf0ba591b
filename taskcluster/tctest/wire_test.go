package tctest_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tafc/tafc/taskcluster/tctest"
)

// wireDir holds exchanges that were recorded on a live Taskcluster. They are kept beside the repository.
const wireDir = "../../../shared/facts/taskcluster-wire"

// exchange is one recorded request with its answer.
type exchange struct {
	Name       string    `json:"name"`
	RecordedAt time.Time `json:"recordedAt"`
	DurationMs float64   `json:"durationMs"`
	Request    struct {
		Method  string            `json:"method"`
		Path    string            `json:"path"`
		URL     string            `json:"url"`
		Query   map[string]string `json:"query"`
		Headers map[string]any    `json:"headers"`
		Body    json.RawMessage   `json:"body"`
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
	} `json:"response"`
}

func (x *exchange) at() time.Time {
	return x.RecordedAt.Add(-time.Duration(x.DurationMs) * time.Millisecond)
}

func readWire(t *testing.T) (all []*exchange, others []string) {
	t.Helper()
	if _, err := os.Stat(wireDir); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not here", wireDir)
	}
	paths, _ := filepath.Glob(filepath.Join(wireDir, "*.json"))
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		x := &exchange{}
		if json.Unmarshal(text, x) != nil || x.Response.Status == 0 {
			others = append(others, name)
			continue
		}
		x.Name = name
		if x.RecordedAt.IsZero() && len(all) > 0 { // it followed the one before
			x.RecordedAt = all[len(all)-1].RecordedAt.Add(time.Millisecond)
		}
		all = append(all, x)
	}
	slices.SortStableFunc(all, func(a, b *exchange) int { return a.RecordedAt.Compare(b.RecordedAt) })
	return all, others
}

// TestWire sends the double what a live Taskcluster was sent, at the times at which it was sent, and compares the answers: status,
// code, shape, and all values that do not differ from one server to the next. What was not recorded but must have happened (tasks
// created, claims, ends of runs) is taken from the states that the recorded answers tell.
func TestWire(t *testing.T) {
	all, others := readWire(t)
	for _, name := range others {
		if notReplayed[name] == "" {
			t.Errorf("%s is no exchange, and there is no reason in notReplayed", name)
		}
	}
	r := newReplay(t, all)
	replayed := 0
	for _, x := range all {
		if reason := notReplayed[x.Name]; reason != "" {
			continue
		}
		replayed++
		r.until(x.at())
		r.exchange(t, x)
	}
	t.Logf("%d exchanges replayed, %d left out with a reason", replayed, len(all)+len(others)-replayed)
	for name := range notReplayed {
		if !slices.Contains(others, name) && !slices.ContainsFunc(all, func(x *exchange) bool { return x.Name == name }) {
			t.Errorf("notReplayed names %s, which is not there", name)
		}
	}
}

// replay is a server on its way through the recordings.
type replay struct {
	s     *tctest.Server
	clock *tctest.Clock
	past  []happening
	tasks map[string]*seenTask
	creds map[string]tctest.Credentials // by the client id of the recordings
	same  map[string]string             // what the recordings call what is called otherwise here
	admin tctest.Credentials
}

func newReplay(t *testing.T, all []*exchange) *replay {
	clock := tctest.StillClock(all[0].at().Add(-time.Hour))
	s := tctest.New(t, tctest.Options{Clock: clock, AuthClock: clock, LongPoll: 20 * time.Millisecond, Anonymous: recordedAnonymous(all)})
	r := &replay{s: s, clock: clock, tasks: map[string]*seenTask{}, same: map[string]string{"http://tc.example.org": s.RootURL}}
	r.admin = s.Client("static/taf/worker", "*")
	r.creds = map[string]tctest.Credentials{
		"static/taf/user": s.Client("static/taf/user", "*"), "static/taf/worker": r.admin,
		"tester": {ClientID: "tester", AccessToken: "no-secret"}, "nobody": {ClientID: "nobody", AccessToken: "x"}}
	r.look(all)
	return r
}

func recordedAnonymous(all []*exchange) (scopes []string) {
	for _, x := range all {
		if x.Name == "auth-getRole-anonymous" {
			var role struct{ Scopes []string }
			_ = json.Unmarshal(x.Response.Body, &role)
			scopes = role.Scopes
		}
	}
	return scopes
}

// exchange sends one recorded request and compares.
func (r *replay) exchange(t *testing.T, x *exchange) {
	t.Run(x.Name, func(t *testing.T) {
		if prepare := prepared[x.Name]; prepare != nil {
			prepare(r.s)
		}
		req := r.request(t, x)
		got, err := send(req)
		if err != nil {
			t.Fatal(err)
		}
		if got.status != x.Response.Status {
			t.Fatalf("%s %s: got %d, recorded %d\ngot  %.800s\nwant %.800s", req.Method, req.URL, got.status, x.Response.Status, got.text, x.Response.Body)
		}
		for _, name := range []string{"X-Taskcluster-Artifact-Storage-Type", "Www-Authenticate"} {
			if want := x.Response.Headers[strings.ToLower(name)]; got.header.Get(name) != want {
				t.Errorf("%s: got %q, recorded %q", name, got.header.Get(name), want)
			}
		}
		if want := x.Response.Headers["location"]; want != "" {
			r.compareText(t, "Location", "url", want, got.header.Get("Location"))
		}
		r.compareBody(t, x, got)
		r.learn(x, got)
	})
}

// request is the recorded request, to this server, signed again.
func (r *replay) request(t *testing.T, x *exchange) *http.Request {
	address := x.Request.URL
	if address == "" {
		query := url.Values{}
		for name, value := range x.Request.Query {
			query.Set(name, r.here(value))
		}
		address = r.s.RootURL + x.Request.Path
		if len(query) > 0 {
			address += "?" + query.Encode()
		}
	} else {
		address = r.here(address)
	}
	body := string(x.Request.Body)
	var plain string
	kind, _ := x.Request.Headers["content-type"].(string)
	if json.Unmarshal(x.Request.Body, &plain) == nil { // not JSON, so it is recorded as text
		body = plain
	}
	req, err := http.NewRequest(x.Request.Method, address, strings.NewReader(r.here(inflate(body))))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("Accept-Encoding", "identity")
	header, _ := x.Request.Headers["authorization"].(string)
	if header != "" {
		c := r.signer(t, header)
		if x.Name == "createTask-07f-bad-token-401" {
			c.creds.AccessToken = "wrong"
		}
		req.Header.Set("Authorization", c.header(x.Request.Method, address))
	}
	return req
}

// inflate makes up the middle of a body that was recorded without: it repeats one character.
func inflate(body string) string {
	var cut struct {
		Truncated  bool
		Length     int
		Head, Tail string
	}
	if json.Unmarshal([]byte(body), &cut) != nil || !cut.Truncated {
		return body
	}
	return cut.Head + strings.Repeat(cut.Head[len(cut.Head)-1:], cut.Length-len(cut.Head)-len(cut.Tail)) + cut.Tail
}

var hawkAttribute = regexp.MustCompile(`(\w+)="([^"]*)"`)

// signer is who signed a recorded header, with the credentials that they have here.
func (r *replay) signer(t *testing.T, header string) *caller {
	attributes := map[string]string{}
	for _, m := range hawkAttribute.FindAllStringSubmatch(header, -1) {
		attributes[m[1]] = m[2]
	}
	creds, ok := r.creds[attributes["id"]]
	if !ok {
		t.Fatalf("nobody here is called %s", attributes["id"])
	}
	c := &caller{t: t, root: r.s.RootURL, creds: creds, at: r.clock.Now}
	var ext struct{ AuthorizedScopes []string }
	text, _ := base64.StdEncoding.DecodeString(attributes["ext"])
	_ = json.Unmarshal(text, &ext)
	c.only = ext.AuthorizedScopes
	return c
}

// here turns what the recordings call something into what it is called here.
func (r *replay) here(text string) string {
	if as, ok := r.same[text]; ok {
		return as
	}
	for there, here := range r.same {
		if len(there) > 20 {
			text = strings.ReplaceAll(text, there, here)
		}
	}
	return text
}

// learn remembers what this server named otherwise, and the credentials that it handed out.
func (r *replay) learn(x *exchange, got answer) {
	var want any
	_ = json.Unmarshal(x.Response.Body, &want)
	r.learnNames(want, map[string]any(got.body))
	if token, ok := got.body["accessToken"].(string); ok {
		id, _ := got.body["clientId"].(string)
		r.creds[id] = tctest.Credentials{ClientID: id, AccessToken: token}
	}
}

func (r *replay) learnNames(want, got any) {
	switch want := want.(type) {
	case map[string]any:
		got, _ := got.(map[string]any)
		if id, ok := want["clientId"].(string); ok && want["certificate"] != nil && got != nil {
			text, _ := json.Marshal(got)
			var c tctest.Credentials
			_ = json.Unmarshal(text, &c)
			r.creds[id] = c
		}
		for name, value := range want {
			there, ok := value.(string)
			here, ok2 := got[name].(string)
			if ok && ok2 && slices.Contains([]string{"putUrl", "url", "continuationToken", "uploadId"}, name) {
				r.same[there] = here
				continue
			}
			r.learnNames(value, got[name])
		}
	case []any:
		got, _ := got.([]any)
		for i := range min(len(want), len(got)) {
			r.learnNames(want[i], got[i])
		}
	}
}
