package tctest_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tafc/tafc/taskcluster/tctest"
)

// upload puts text where an address says, with headers.
func upload(t *testing.T, address, text string, header map[string]string) {
	t.Helper()
	r, err := http.NewRequest("PUT", address, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	a, err := send(r)
	if err != nil || a.status != 200 {
		t.Fatalf("put: %v %d %s", err, a.status, a.text)
	}
}

// runningTask makes a task whose run 0 is claimed, and returns the caller that its worker is.
func runningTask(t *testing.T, s *tctest.Server, n int, changes map[string]any) *caller {
	t.Helper()
	c := as(t, s, s.Admin())
	c.create(s, id(n), changes)
	a := c.call("POST", "/api/queue/v1/task/"+id(n)+"/runs/0/claim", map[string]any{"workerGroup": "g", "workerId": "w"})
	given, ok := a.get("credentials").(map[string]any)
	if !ok {
		t.Fatalf("claim: %s", a.text)
	}
	return as(t, s, tctest.Credentials{ClientID: given["clientId"].(string), AccessToken: given["accessToken"].(string), Certificate: given["certificate"].(string)})
}

func runPath(n, run int, rest string) string {
	return fmt.Sprintf("/api/queue/v1/task/%s/runs/%d/%s", id(n), run, rest)
}

func TestArtifactKinds(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	w := runningTask(t, s, 1, nil)
	expires := s.Clock().Now().Add(time.Hour).Format(time.RFC3339)
	create := func(name string, fields map[string]any) answer {
		fields["expires"] = expires
		return w.call("POST", runPath(1, 0, "artifacts/"+name), fields)
	}
	put := create("private/p.txt", map[string]any{"storageType": "s3", "contentType": "text/plain"})
	upload(t, put.get("putUrl").(string), "secret", map[string]string{"Content-Type": "text/plain"})
	create("public/link", map[string]any{"storageType": "link", "artifact": "private/p.txt"})
	create("public/ref", map[string]any{"storageType": "reference", "contentType": "text/plain", "url": s.RootURL + "/elsewhere"})
	create("public/err", map[string]any{"storageType": "error", "reason": "file-missing-on-worker", "message": "gone"})

	nobody, admin := as(t, s, tctest.Credentials{}), as(t, s, s.Admin())
	wantStatus(t, nobody.call("GET", runPath(1, 0, "artifacts/private/p.txt"), nil), 403, "InsufficientScopes")
	wantStatus(t, nobody.call("GET", runPath(1, 0, "artifacts/public/link"), nil), 403, "InsufficientScopes")
	found := admin.call("GET", runPath(1, 0, "artifacts/public/link"), nil)
	at := found.header.Get("Location")
	if found.status != 303 || found.get("url") != at || found.header.Get("X-Taskcluster-Artifact-Storage-Type") != "s3" {
		t.Errorf("link: %d %s", found.status, found.text)
	}
	if content := nobody.call("GET", at, nil); content.text != "secret" {
		t.Errorf("content: %d %s", content.status, content.text)
	}
	if content := nobody.call("GET", strings.Split(at, "?")[0], nil); content.status != 403 {
		t.Errorf("without its signature: %d", content.status)
	}
	s.Clock().Advance(31 * time.Minute)
	if content := nobody.call("GET", at, nil); content.status != 403 {
		t.Errorf("after half an hour: %d", content.status)
	}
	if a := nobody.call("GET", runPath(1, 0, "artifacts/public/ref"), nil); a.header.Get("Location") != s.RootURL+"/elsewhere" {
		t.Errorf("reference: %d %s", a.status, a.text)
	}
	if a := nobody.call("GET", runPath(1, 0, "artifacts/public/err"), nil); a.status != 424 || a.get("reason") != "file-missing-on-worker" {
		t.Errorf("error: %d %s", a.status, a.text)
	}
	if a := nobody.call("GET", runPath(1, 0, "artifact-content/public/err"), nil); a.status != 200 || a.get("message") != "gone" {
		t.Errorf("content of an error: %d %s", a.status, a.text)
	}
}

// What is uploaded comes back with the encoding that it came with; whoever reads it decodes.
func TestEncodedArtifact(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	w := runningTask(t, s, 1, nil)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, "plain text")
	_ = z.Close()
	put := w.call("POST", runPath(1, 0, "artifacts/public/a"), map[string]any{"storageType": "s3", "contentType": "text/plain",
		"expires": s.Clock().Now().Add(time.Hour).Format(time.RFC3339)})
	upload(t, put.get("putUrl").(string), packed.String(), map[string]string{"Content-Type": "text/plain", "Content-Encoding": "gzip"})
	at := w.call("GET", runPath(1, 0, "artifacts/public/a"), nil).header.Get("Location")
	r, _ := http.NewRequest("GET", at, nil)
	r.Header.Set("Accept-Encoding", "identity") // which S3 does not look at
	a, err := send(r)
	if err != nil || a.header.Get("Content-Encoding") != "gzip" || a.text != packed.String() {
		t.Errorf("%v, encoded %q, %d bytes", err, a.header.Get("Content-Encoding"), len(a.text))
	}
	if a := as(t, s, tctest.Credentials{}).call("GET", at, nil); a.text != "plain text" {
		t.Errorf("decoded: %q", a.text)
	}
}

func TestArtifactExpires(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	c := as(t, s, s.Admin())
	c.create(s, id(1), nil)
	if err := s.Complete(id(1), tctest.Artifact{Name: "public/report.json", Data: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	latest := "/api/queue/v1/task/" + id(1) + "/artifacts/public/report.json"
	wantStatus(t, c.call("GET", latest, nil), 303, "")
	s.ExpireArtifacts(id(1), "public/")
	wantStatus(t, c.call("GET", latest, nil), 410, "ResourceExpired")
	if a := c.status(id(1)); a.state() != "completed" {
		t.Errorf("the task is still there: %s", a.text)
	}
}

// The latest artifact is that of the highest run, even when that run has made nothing yet.
func TestLatestIsTheHighestRun(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	c := as(t, s, s.Admin())
	c.create(s, id(1), nil)
	_ = s.Complete(id(1), tctest.Artifact{Name: "public/a", Data: []byte("x")})
	c.call("POST", "/api/queue/v1/task/"+id(1)+"/rerun", nil)
	wantStatus(t, c.call("GET", "/api/queue/v1/task/"+id(1)+"/artifacts/public/a", nil), 404, "ResourceNotFound")
	wantStatus(t, c.call("GET", runPath(1, 0, "artifacts/public/a"), nil), 303, "")
}

func TestLateArtifacts(t *testing.T) {
	clock := tctest.StillClock(time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC))
	s := tctest.New(t, tctest.Options{Clock: clock})
	w := runningTask(t, s, 1, nil)
	def := map[string]any{"storageType": "s3", "contentType": "text/plain", "expires": clock.Now().Add(time.Hour).Format(time.RFC3339)}
	_ = s.Exception(id(1), "internal-error")
	clock.Advance(19 * time.Minute)
	wantStatus(t, w.call("POST", runPath(1, 0, "artifacts/public/log"), def), 200, "")
	clock.Advance(7 * time.Minute)
	wantStatus(t, as(t, s, s.Admin()).call("POST", runPath(1, 0, "artifacts/public/log2"), def), 409, "RequestConflict")
}

func TestArtifactNeedsItsOwnTask(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	w := runningTask(t, s, 1, nil)
	runningTask(t, s, 2, nil)
	a := w.call("POST", runPath(2, 0, "artifacts/public/a"), map[string]any{"storageType": "s3", "contentType": "text/plain",
		"expires": s.Clock().Now().Add(time.Hour).Format(time.RFC3339)})
	wantStatus(t, a, 403, "InsufficientScopes")
}
