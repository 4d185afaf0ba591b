package mapper_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tafc/tafc/internal/s3test"
	"github.com/tafc/tafc/runtime/job"
)

// words is text that does not compress to nothing.
func words(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "w%d\n", i*7919%104729)
	}
	return b.String()
}

// remoteSpec plans files of a bucket as its listing tells them.
func remoteSpec(t *testing.T, s *s3test.Server, endpoint, bucket string, files map[string][]byte) *job.Spec {
	t.Helper()
	spec := mapSpec(nil)
	spec.S3 = &job.S3{Endpoint: endpoint}
	spec.Download = job.Download{Attempts: 3, Timeout: time.Second}
	s.Bucket(t, bucket)
	for _, key := range []string{"a.gz", "b c%.gz", "d", "e", "f"} {
		data, ok := files[key]
		if !ok {
			continue
		}
		s.Put(t, bucket, key, data)
		url := "s3://" + bucket + "/" + strings.NewReplacer("%", "%25", " ", "%20").Replace(key)
		spec.Files = append(spec.Files, job.File{Key: key, URL: url, Size: int64(len(data)), ETag: s3test.ETag(data)})
	}
	return spec
}

func TestFetchesFromS3(t *testing.T) {
	server := s3test.Start(t)
	server.Setenv(t)
	big := words(60_000) // 0.4 MB
	files := map[string][]byte{"a.gz": gz(t, big), "b c%.gz": gz(t, "x\ny\n"), "d": []byte(big), "e": []byte("z\n"), "f": {}}
	var local [][2]string
	for _, key := range []string{"a.gz", "d", "e", "f"} {
		local = append(local, [2]string{key, string(files[key])})
	}
	want := run(t, mapSpec(append(plan(t, local...), plan(t, [2]string{"b.gz", "x\ny\n"})...)))
	get := func(r s3test.Request) bool { return r.Method == http.MethodGet && strings.HasSuffix(r.Path, "/d") }
	nth := func(f s3test.Fault, times int) func(s3test.Request) s3test.Fault {
		return func(r s3test.Request) s3test.Fault {
			if get(r) && times > 0 {
				times--
				return f
			}
			return s3test.Fault{}
		}
	}
	for i, test := range []struct {
		name   string
		fault  s3test.Fault
		times  int
		cause  job.Cause
		says   string
		resume bool
	}{
		{name: "no fault", cause: job.CauseDone},
		{name: "reset in the body", fault: s3test.Fault{Truncate: 150_000}, times: 2, cause: job.CauseDone, resume: true},
		{name: "reset before an answer", fault: s3test.Fault{Reset: true}, times: 2, cause: job.CauseDone},
		{name: "500", fault: s3test.Fault{Status: 500, Code: "InternalError"}, times: 2, cause: job.CauseDone},
		{name: "slow down", fault: s3test.Fault{Status: 503, Code: "SlowDown"}, times: 2, cause: job.CauseDone},
		{name: "stall", fault: s3test.Fault{Stall: time.Minute}, times: 1, cause: job.CauseDone},
		{name: "stall in the body", fault: s3test.Fault{Hang: 150_000}, times: 1, cause: job.CauseDone, resume: true},
		{name: "expired", fault: s3test.Fault{Status: 400, Code: "ExpiredToken"}, times: 1, cause: job.CauseDone},
		{name: "always slow", fault: s3test.Fault{Status: 503, Code: "SlowDown"}, times: 9, cause: job.CauseDownload, says: "file d cannot be fetched, after 3 attempts"},
		{name: "always reset", fault: s3test.Fault{Truncate: 50_000}, times: 9, cause: job.CauseDownload, says: "the connection broke after"},
		{name: "forbidden", fault: s3test.Fault{Status: 403, Code: "AccessDenied"}, times: 9, cause: job.CauseDownload, says: "file d is refused"},
		{name: "gone", fault: s3test.Fault{Status: 404, Code: "NoSuchKey"}, times: 9, cause: job.CauseDownload, says: "file d is missing"},
		{name: "changed", fault: s3test.Fault{Status: 412, Code: "PreconditionFailed"}, times: 9, cause: job.CauseDrifted, says: "not the one that was planned"},
	} {
		t.Run(test.name, func(t *testing.T) {
			proxy := s3test.NewProxy(t, server.Endpoint)
			proxy.Faults(nth(test.fault, test.times))
			spec := remoteSpec(t, server, proxy.Endpoint, fmt.Sprintf("library-%d", i), files)
			got := run(t, spec)
			if got.Cause != test.cause {
				t.Fatalf("cause %s: %+v\n%s", got.Cause, got.Failure, got.log)
			}
			events, _ := os.ReadFile(filepath.Join(got.dir, "events.jsonl"))
			if strings.Contains(string(events)+got.log+fmt.Sprint(got.Failure), server.SecretKey) {
				t.Error("credentials are told")
			}
			if test.cause != job.CauseDone {
				if !strings.Contains(got.Failure.Message, test.says) || got.Failure.Hint == "" || got.Failure.File != "d" {
					t.Errorf("failure %+v", got.Failure)
				}
				return
			}
			if got.text(t) != want.text(t) {
				t.Error("the result is another one than that of local files")
			}
			if got.Ledger.Bytes.Wire != total(spec.Files) || got.Ledger.Files.Done != 5 {
				t.Errorf("ledger %+v, want %d bytes", got.Ledger, total(spec.Files))
			}
			// A connection that was used before and breaks without an answer is replaced by the HTTP client itself.
			if retries := strings.Count(string(events), `"fetch.retry"`); retries > test.times || test.times > 0 && retries == 0 || retries != test.times && !test.fault.Reset {
				t.Errorf("%d retries, want %d\n%s", retries, test.times, events)
			}
			if ranges := ranged(proxy); test.resume != (ranges > 0) {
				t.Errorf("%d requests for the rest of a file", ranges)
			}
		})
	}
}

func total(files []job.File) (n int64) {
	for _, f := range files {
		n += f.Size
	}
	return n
}

// ranged counts requests for a part of an object, all of which must be for the planned one.
func ranged(p *s3test.Proxy) (n int) {
	for _, r := range p.Requests() {
		if r.Header.Get("Range") != "" && r.Header.Get("If-Match") != "" {
			n++
		}
	}
	return n
}

func TestChangedObjects(t *testing.T) {
	server := s3test.Start(t)
	server.Setenv(t)
	for i, test := range []struct {
		name   string
		change func(spec *job.Spec, bucket string)
		cause  job.Cause
		says   string
	}{
		{"other content of the same size", func(_ *job.Spec, b string) { server.Put(t, b, "d", []byte("y\n")) }, job.CauseDrifted, "entity tag"},
		{"without an entity tag", func(s *job.Spec, b string) { s.Files[0].ETag = ""; server.Put(t, b, "d", []byte("longer\n")) }, job.CauseDrifted, "planned 2 bytes, found 7"},
		{"deleted", func(_ *job.Spec, b string) { server.Delete(t, b, "d") }, job.CauseDownload, "file d is missing"},
		{"no bucket", func(s *job.Spec, _ string) { s.Files[0].URL = "s3://nobody-has-this/d" }, job.CauseDownload, "there is no bucket"},
		{"no key", func(s *job.Spec, b string) { s.Files[0].URL = "s3://" + b }, job.CauseBadSpec, "names no object"},
		{"a digest of the index's own", func(s *job.Spec, _ string) { s.Files[0].ETag = strings.Repeat("ab", 20) }, job.CauseDone, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			bucket := fmt.Sprintf("changed-%d", i)
			spec := remoteSpec(t, server, server.Endpoint, bucket, map[string][]byte{"d": []byte("x\n")})
			test.change(spec, bucket)
			got := run(t, spec)
			if got.Cause != test.cause || got.Failure != nil && !strings.Contains(got.Failure.Message, test.says) {
				t.Errorf("%s: %+v", got.Cause, got.Failure)
			}
		})
	}
}

func TestFetchesFromTheWeb(t *testing.T) {
	data := words(100_000)
	for _, test := range []struct {
		name           string
		etag           string // planned
		break_, ranges bool
		other          bool // content of the same size
		cause          job.Cause
	}{
		{name: "whole", etag: "v1", cause: job.CauseDone},
		{name: "resumed", etag: "v1", break_: true, ranges: true, cause: job.CauseDone},
		{name: "resumed without ranges", etag: "v1", break_: true, cause: job.CauseDone},
		{name: "another tag", etag: "v0", cause: job.CauseDrifted},
		{name: "md5 of the content", etag: s3test.ETag([]byte(data)), cause: job.CauseDone},
		{name: "md5 of other content", etag: s3test.ETag([]byte("x")), cause: job.CauseDrifted},
		{name: "missing", cause: job.CauseDownload},
	} {
		t.Run(test.name, func(t *testing.T) {
			broken := !test.break_
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if test.name == "missing" {
					http.NotFound(w, r)
					return
				}
				w.Header().Set("ETag", `"v1"`)
				if !test.ranges {
					r.Header.Del("Range")
				}
				if !broken {
					broken = true
					w.Header().Set("Content-Length", fmt.Sprint(len(data)))
					_, _ = w.Write([]byte(data[:300_000]))
					panic(http.ErrAbortHandler)
				}
				http.ServeContent(w, r, "", time.Time{}, strings.NewReader(data))
			}))
			defer server.Close()
			spec := mapSpec([]job.File{{Key: "a", URL: server.URL + "/a", Size: int64(len(data)), ETag: test.etag}})
			spec.Download = job.Download{Attempts: 2}
			got := run(t, spec)
			if got.Cause != test.cause {
				t.Fatalf("cause %s: %+v", got.Cause, got.Failure)
			}
			if test.cause == job.CauseDone && got.text(t) != run(t, mapSpec(plan(t, [2]string{"a", data}))).text(t) {
				t.Error("another result")
			}
		})
	}
}
