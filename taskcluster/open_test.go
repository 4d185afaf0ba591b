package taskcluster_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/hawk"
)

func gzipped(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.Bytes()
}

// store answers as S3 does, and redirects as a link to elsewhere may.
func store(t *testing.T, flaky *atomic.Int32) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/stored-gzip", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(gzipped("hello\n"))
	})
	mux.HandleFunc("/plain", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello\n") })
	mux.HandleFunc("/archive.gz", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(gzipped("hello\n")) })
	mux.HandleFunc("/empty", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Encoding", "gzip") })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/plain", http.StatusFound) })
	mux.HandleFunc("/brotli", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		_, _ = io.WriteString(w, "?")
	})
	mux.HandleFunc("/denied", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(403)
		_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><HostId>hidden</HostId></Error>")
	})
	mux.HandleFunc("/flaky", func(w http.ResponseWriter, r *http.Request) {
		if flaky.Add(1) < 3 {
			w.WriteHeader(503)
			return
		}
		_, _ = io.WriteString(w, "hello\n")
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "hello\n")
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Errorf("%s was sent a signature", r.URL)
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// queueOf has a task with two completed runs and one that failed after them; artifacts are in a store.
func queueOf(t *testing.T, storeURL string, signed bool) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if (r.Header.Get("Authorization") != "") != signed {
			t.Errorf("%s: signature %q", r.URL, r.Header.Get("Authorization"))
		}
		name, isArtifact := strings.CutPrefix(r.URL.Path, "/api/queue/v1/task/T/runs/1/artifacts/public/")
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path == "/api/queue/v1/task/T/status":
			_, _ = io.WriteString(w, `{"status": {"taskId": "T", "state": "failed", "runs": [{"runId": 0, "state": "completed"}, {"runId": 1, "state": "completed"}, {"runId": 2, "state": "failed"}]}}`)
		case r.URL.Path == "/api/queue/v1/task/N/status":
			_, _ = io.WriteString(w, `{"status": {"taskId": "N", "state": "exception", "runs": [{"runId": 0, "state": "exception"}]}}`)
		case isArtifact && name == "bad":
			w.WriteHeader(424)
			_, _ = io.WriteString(w, `{"reason": "file-missing-on-worker", "message": "could not find file"}`)
		case isArtifact && name == "expired":
			w.WriteHeader(410)
			_, _ = io.WriteString(w, `{"code": "ResourceExpired", "message": "Artifact has expired"}`)
		case isArtifact:
			w.Header().Set("Location", storeURL+"/"+name)
			w.Header().Set("x-taskcluster-artifact-storage-type", "s3")
			w.WriteHeader(303)
			fmt.Fprintf(w, `{"storageType": "s3", "url": %q}`, storeURL+"/"+name)
		default:
			w.WriteHeader(404)
			_, _ = io.WriteString(w, notFound)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func TestOpenResult(t *testing.T) {
	var flaky atomic.Int32
	at := store(t, &flaky)
	direct, proxy := queueOf(t, at.URL, true), queueOf(t, at.URL, false)
	quick := taskcluster.Retry{Initial: time.Millisecond, Tries: 3}
	credentials := &taskcluster.Credentials{ClientID: "me", AccessToken: "token"}
	for _, config := range []taskcluster.Config{
		{RootURL: direct.URL, Credentials: credentials, Retry: quick},
		{RootURL: "https://tc.example.com", ProxyURL: proxy.URL, Credentials: credentials, Retry: quick},
	} {
		client, err := taskcluster.New(config)
		if err != nil {
			t.Fatal(err)
		}
		flaky.Store(0)
		for name, want := range map[string]string{
			"stored-gzip": "hello\n",
			"plain":       "hello\n",
			"moved":       "hello\n",
			"archive.gz":  string(gzipped("hello\n")), // stored so, not sent so
			"empty":       "",
			"flaky":       "hello\n",
		} {
			r, err := client.OpenResult(t.Context(), "T", "public/"+name)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			got, err := io.ReadAll(r)
			if err != nil || string(got) != want || r.RunID != 1 || r.StorageType != "s3" {
				t.Errorf("%s: %q of run %d, %v", name, got, r.RunID, err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		for name, want := range map[string]string{
			"bad":     "artifact public/bad of task T was not stored: could not find file (file-missing-on-worker)",
			"expired": "queue.getArtifact T public/expired: 410 ResourceExpired: Artifact has expired",
			"missing": "404: the content is not there",
			"denied":  "403: AccessDenied",
			"brotli":  `compressed with "br"`,
		} {
			_, err := client.OpenResult(t.Context(), "T", "public/"+name)
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("%s: %v", name, err)
			}
		}
		r, err := client.OpenResult(t.Context(), "T", "public/cut")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); err == nil {
			t.Error("content that was cut off ended without an error")
		}
		r.Close()
		if _, err := client.OpenResult(t.Context(), "N", "public/plain"); !taskcluster.IsNotFound(err) || !strings.Contains(err.Error(), "no run of the task has completed, it is exception") {
			t.Error(err)
		}
	}
}

func TestSignURL(t *testing.T) {
	at := time.Unix(1700000000, 0)
	client := newClient(t, nil, func(c *taskcluster.Config) {
		c.RootURL, c.Now = "https://tc.example.com", func() time.Time { return at }
		c.Credentials = &taskcluster.Credentials{ClientID: "proj/issuer", AccessToken: "no-secret"}
	})
	got, err := client.SignURL("/api/queue/v1/task/AAAAAAAAQ7aAAAAAAAAAAA/artifacts/private/x.json", 15*time.Minute)
	want := "https://tc.example.com/api/queue/v1/task/AAAAAAAAQ7aAAAAAAAAAAA/artifacts/private/x.json?bewit=cHJvai9pc3N1ZXJcMTcwMDAwMDkwMFxjMVo1Zk91aUgrRnQ3bzlWWnJnV0hON2ZoWjNVeDNud2hFRklsOHpOanI4PVw"
	if got != want || err != nil {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	for _, u := range []string{want, "https://elsewhere.example.com/x", "https://tc%zz"} {
		if _, err := client.SignURL(u, time.Minute); err == nil {
			t.Errorf("%s was signed", u)
		}
	}
}

func TestClockSkew(t *testing.T) {
	ours := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	client := newClient(t, func(*http.Request) (*http.Response, error) {
		return response(200, `{"alive": true}`, "Date", ours.Add(-20*time.Minute).Format(http.TimeFormat)), nil
	}, func(c *taskcluster.Config) { c.Now = func() time.Time { return ours } })
	skew, err := client.ClockSkew(t.Context())
	if err != nil || (skew-20*time.Minute).Abs() > time.Second {
		t.Errorf("%v, %v", skew, err)
	}
}

// A certificate that lists too many scopes makes a header that no service takes.
func TestLongSignatures(t *testing.T) {
	issuer := taskcluster.Credentials{ClientID: "issuer", AccessToken: "token"}
	c, err := issuer.CreateTemporaryCredentials(time.Now(), time.Hour, strings.Repeat("x", hawk.MaxHeader))
	if err != nil {
		t.Fatal(err)
	}
	client := newClient(t, func(*http.Request) (*http.Response, error) {
		t.Error("a request was made")
		return response(200, statusBody), nil
	}, func(config *taskcluster.Config) { config.Credentials = c })
	if _, err := client.Queue.Status(t.Context(), "id"); err == nil || !strings.Contains(err.Error(), "too many scopes") {
		t.Error(err)
	}
}

func TestLinks(t *testing.T) {
	l := taskcluster.LinksTo("https://tc.example.com/")
	for want, got := range map[string]string{
		"https://tc.example.com/tasks/T":                                             l.Task("T"),
		"https://tc.example.com/tasks/T/runs/1":                                      l.Run("T", 1),
		"https://tc.example.com/tasks/groups/G":                                      l.Group("G"),
		"https://tc.example.com/tasks/T/runs/0/logs/live/public/logs/live.log":       l.Log("T", 0, "public/logs/live.log", true),
		"https://tc.example.com/tasks/T/runs/0/logs/public/logs/live.log":            l.Log("T", 0, "public/logs/live.log", false),
		"https://tc.example.com/api/queue/v1/task/T/runs/0/artifacts/public%2Fa%20b": l.Artifact("T", 0, "public/a b"),
		"https://tc.example.com/provisioners/proj/worker-types/ci":                   l.Queue("proj", "ci"),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
