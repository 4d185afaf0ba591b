package s3client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/tafc/tafc/internal/s3client"
	"github.com/tafc/tafc/internal/s3test"
)

const part = 5 << 20

// content is n bytes that do not repeat, in a file.
func content(t *testing.T, n int, seed uint64) (*os.File, []byte) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	path := filepath.Join(t.TempDir(), "result")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, data
}

// stored is what a bucket has, "" and no data when there is nothing.
func stored(t *testing.T, s *s3test.Server, bucket, key string) (data []byte, contentType, sum string) {
	t.Helper()
	out, err := s.Client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, "", ""
	}
	defer out.Body.Close()
	data, err = io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return data, aws.ToString(out.ContentType), out.Metadata["sha256"]
}

// unfinished counts uploads in parts that were begun and neither completed nor taken back.
func unfinished(t *testing.T, s *s3test.Server, bucket string) int {
	t.Helper()
	out, err := s.Client.ListMultipartUploads(context.Background(), &s3.ListMultipartUploadsInput{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Uploads)
}

func TestPut(t *testing.T) {
	server := s3test.Start(t)
	server.Setenv(t)
	server.Bucket(t, "results")
	isPart := func(r s3test.Request) bool { return r.Method == http.MethodPut && r.Query.Has("partNumber") }
	isWhole := func(r s3test.Request) bool { return r.Method == http.MethodPut && !r.Query.Has("partNumber") }
	isBegin := func(r s3test.Request) bool { return r.Method == http.MethodPost && r.Query.Has("uploads") }
	isEnd := func(r s3test.Request) bool { return r.Method == http.MethodPost && r.Query.Has("uploadId") }
	for i, test := range []struct {
		name  string
		size  int
		where func(s3test.Request) bool
		fault s3test.Fault
		times int
		fails bool
	}{
		{name: "small", size: 1000},
		{name: "nothing"},
		{name: "in parts", size: 2*part + 77},
		{name: "small, reset in the body", size: 1 << 20, where: isWhole, fault: s3test.Fault{Take: 100_000}, times: 2},
		{name: "small, slow down", size: 1000, where: isWhole, fault: s3test.Fault{Status: 503, Code: "SlowDown"}, times: 2},
		{name: "small, the answer is lost", size: 1000, where: isWhole, fault: s3test.Fault{Lose: true}, times: 1},
		{name: "part reset in the body", size: 2*part + 77, where: isPart, fault: s3test.Fault{Take: 1 << 20}, times: 3},
		{name: "part 500", size: 2*part + 77, where: isPart, fault: s3test.Fault{Status: 500, Code: "InternalError"}, times: 3},
		{name: "part slow down", size: 2*part + 77, where: isPart, fault: s3test.Fault{Status: 503, Code: "SlowDown"}, times: 3},
		{name: "part's answer is lost", size: 2*part + 77, where: isPart, fault: s3test.Fault{Lose: true}, times: 1},
		{name: "begin 503", size: 2 * part, where: isBegin, fault: s3test.Fault{Status: 503, Code: "SlowDown"}, times: 1},
		{name: "end 500", size: 2 * part, where: isEnd, fault: s3test.Fault{Status: 500, Code: "InternalError"}, times: 1},
		{name: "the answer of the end is lost", size: 2 * part, where: isEnd, fault: s3test.Fault{Lose: true}, times: 1},
		{name: "part refused", size: 2*part + 77, where: isPart, fault: s3test.Fault{Status: 403, Code: "AccessDenied"}, times: 99, fails: true},
		{name: "part always 500", size: 2*part + 77, where: isPart, fault: s3test.Fault{Status: 500, Code: "InternalError"}, times: 99, fails: true},
		{name: "small refused", size: 1000, where: isWhole, fault: s3test.Fault{Status: 403, Code: "AccessDenied"}, times: 99, fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			proxy := s3test.NewProxy(t, server.Endpoint)
			key := fmt.Sprintf("daily/%d.txt", i)
			server.Put(t, "results", key, []byte("the result before"))
			left := test.times
			proxy.Faults(func(r s3test.Request) s3test.Fault {
				if test.where == nil || !test.where(r) || left == 0 {
					return s3test.Fault{}
				}
				left--
				return test.fault
			})
			f, data := content(t, test.size, uint64(i))
			bucket := s3client.New("results", s3client.Config{Endpoint: proxy.Endpoint, Attempts: 4})
			u := s3client.Upload{Key: key, ContentType: "text/csv", PartSize: part}
			done, err := bucket.Put(t.Context(), f, u)
			got, contentType, sum := stored(t, server, "results", key)
			if n := unfinished(t, server, "results"); n != 0 {
				t.Errorf("%d uploads are left unfinished", n)
			}
			if test.fails {
				var e *s3client.Error
				if !errors.As(err, &e) || string(got) != "the result before" {
					t.Errorf("%v, and the object has %d bytes", err, len(got))
				}
				if test.fault.Status == 403 && !strings.Contains(err.Error(), "s3:PutObject") {
					t.Errorf("the message is no help: %v", err)
				}
				return
			}
			if err != nil || !bytes.Equal(got, data) || contentType != "text/csv" || sum != done.SHA256 || done.Size != int64(test.size) || done.Unchanged {
				t.Errorf("%+v, %v; the object has %d bytes, %q, %q", done, err, len(got), contentType, sum)
			}
			before := len(proxy.Requests())
			again, err := bucket.Put(t.Context(), f, u)
			if err != nil || !again.Unchanged || len(proxy.Requests()) != before+1 {
				t.Errorf("again: %+v, %v, %d requests", again, err, len(proxy.Requests())-before)
			}
		})
	}
}

func TestPutCancelled(t *testing.T) {
	server := s3test.Start(t)
	server.Setenv(t)
	server.Bucket(t, "results")
	server.Put(t, "results", "a", []byte("before"))
	proxy := s3test.NewProxy(t, server.Endpoint)
	ctx, cancel := context.WithCancel(t.Context())
	proxy.Faults(func(r s3test.Request) s3test.Fault {
		if r.Query.Get("partNumber") == "2" {
			cancel()
			return s3test.Fault{Stall: time.Second}
		}
		return s3test.Fault{}
	})
	f, _ := content(t, 3*part, 1)
	_, err := s3client.New("results", s3client.Config{Endpoint: proxy.Endpoint}).Put(ctx, f, s3client.Upload{Key: "a", PartSize: part})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got, _, _ := stored(t, server, "results", "a"); string(got) != "before" {
		t.Errorf("the object has %d bytes", len(got))
	}
	if n := unfinished(t, server, "results"); n != 0 {
		t.Errorf("%d uploads are left unfinished", n)
	}
}
