package s3_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/s3"
	"github.com/tafc/tafc/internal/s3client"
	"github.com/tafc/tafc/internal/s3test"
)

// books are keys in the layout of books.
var books = []string{
	"de/2014-03-01/a.txt", "de/2014-03-01/b.txt", "de/2014-03-02/a.txt", "en/2014-03-01/a.txt", "en/2014-03-02/a b+c&ä.txt",
	"fr/2014-03-01/a.txt", "loose.txt",
}

const booksLayout = "{language}/{day:date}/{rest}"

func open(t testing.TB, url string, config s3client.Config) *s3.Source {
	t.Helper()
	src, err := s3.Open(url, config)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func scan(t testing.TB, src *s3.Source) []string {
	t.Helper()
	var keys []string
	err := src.Scan(context.Background(), func(f index.File) error { keys = append(keys, string(f.Key)); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestServer(t *testing.T) {
	server := s3test.Start(t)
	server.Setenv(t)
	server.Bucket(t, "library", books...)
	server.Bucket(t, "deep", "books/x/1", "books/x/2", "booksellers/y", "a")
	proxy := s3test.NewProxy(t, server.Endpoint)
	t.Setenv("AWS_ENDPOINT_URL_S3", proxy.Endpoint)

	t.Run("everything", func(t *testing.T) {
		src := open(t, "s3://library", s3client.Config{})
		want := slices.Sorted(slices.Values(books))
		if diff := cmp.Diff(want, scan(t, src)); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
		if src.Root() != "s3://library/" || src.String() != "s3://library" {
			t.Errorf("root %s of %s", src.Root(), src)
		}
	})
	t.Run("a row", func(t *testing.T) {
		err := open(t, "s3://deep/books/x", s3client.Config{}).Scan(context.Background(), func(f index.File) error {
			if f.Size != int64(len("books/x/"+string(f.Key))) || len(f.ETag) != 32 {
				t.Errorf("%s: size %d, etag %q", f.Key, f.Size, f.ETag)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("a folder", func(t *testing.T) {
		for _, url := range []string{"s3://deep/books", "s3://deep/books/"} {
			src := open(t, url, s3client.Config{})
			if diff := cmp.Diff([]string{"x/1", "x/2"}, scan(t, src)); diff != "" || src.Root() != "s3://deep/books/" {
				t.Errorf("%s: root %s, keys (-want +got):\n%s", url, src.Root(), diff)
			}
		}
	})
	t.Run("revision", func(t *testing.T) {
		revision := func() string {
			r, err := open(t, "s3://deep", s3client.Config{}).Revision(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		before := revision()
		if again := revision(); again != before {
			t.Errorf("nothing changed, but %s became %s", before, again)
		}
		server.Put(t, "deep", "a", []byte("other"))
		if after := revision(); after == before {
			t.Errorf("an object changed, and the revision is still %s", after)
		}
	})
	t.Run("pruned", func(t *testing.T) { pruned(t, proxy) })
}

// pruned counts what a filter costs.
func pruned(t *testing.T, proxy *s3test.Proxy) {
	layout, err := index.ParseLayout(booksLayout)
	if err != nil {
		t.Fatal(err)
	}
	oneOf := func(dimension string, values ...string) index.Term {
		return index.Term{Dimension: dimension, Op: index.OpOneOf, Values: values}
	}
	for _, test := range []struct {
		name   string
		filter index.Filter
		match  int
		lists  []string // prefixes that were listed
		left   int      // folders that were not listed
	}{
		{"no condition", index.Filter{}, 6, []string{""}, 0},
		{"first folder", index.Filter{Where: []index.Term{oneOf("language", "de")}}, 3, []string{"", "de/"}, 2},
		{"second folder", index.Filter{Where: []index.Term{oneOf("day", "2014-03-02")}}, 2,
			[]string{"", "de/", "de/2014-03-02/", "en/", "en/2014-03-02/", "fr/"}, 3},
		{"both", index.Filter{Where: []index.Term{oneOf("language", "en"), oneOf("day", "2014-03-02")}}, 1,
			[]string{"", "en/", "en/2014-03-02/"}, 3},
		{"excluded", index.Filter{Exclude: []index.Term{oneOf("language", "de", "en")}}, 1, []string{"", "fr/"}, 2},
		{"nothing", index.Filter{Where: []index.Term{oneOf("language", "it")}}, 0, []string{""}, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			proxy.Reset()
			sel, err := index.Select(context.Background(), open(t, "s3://library", s3client.Config{}), layout, "", test.filter)
			if err != nil {
				t.Fatal(err)
			}
			var lists []string
			for _, r := range proxy.Requests() {
				lists = append(lists, r.Query.Get("prefix"))
			}
			slices.Sort(lists)
			if diff := cmp.Diff(test.lists, lists); diff != "" {
				t.Errorf("listed prefixes (-want +got):\n%s", diff)
			}
			if sel.Files.Len() != test.match || sel.Unlisted != test.left {
				t.Errorf("%d files match, %d folders were not listed; want %d and %d", sel.Files.Len(), sel.Unlisted, test.match, test.left)
			}
			if sel.Unparsed != 1 {
				t.Errorf("%d keys outside the layout; the loose file is listed for nothing", sel.Unparsed)
			}
		})
	}
}

// TestFaults lists through every fault that passes, and says what is wrong when one stays.
func TestFaults(t *testing.T) {
	server := s3test.Start(t)
	server.Setenv(t)
	server.Bucket(t, "library", books...)
	proxy := s3test.NewProxy(t, server.Endpoint)
	config := s3client.Config{Endpoint: proxy.Endpoint, Timeout: 500 * time.Millisecond}
	for _, test := range []struct {
		name  string
		fault s3test.Fault
	}{
		{"reset", s3test.Fault{Reset: true}},
		{"500", s3test.Fault{Status: 500, Code: "InternalError"}},
		{"slow down", s3test.Fault{Status: 503, Code: "SlowDown"}},
		{"truncated", s3test.Fault{Truncate: 300}},
		{"stalled", s3test.Fault{Stall: time.Minute}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			proxy := s3test.NewProxy(t, server.Endpoint)
			config := config
			config.Endpoint = proxy.Endpoint
			proxy.Faults(func(r s3test.Request) s3test.Fault {
				if r.Number <= 2 {
					return test.fault
				}
				return s3test.Fault{}
			})
			if keys := scan(t, open(t, "s3://library", config)); len(keys) != len(books) {
				t.Errorf("%d keys", len(keys))
			}
		})
	}
}

// TestErrors: each says what is wrong and what helps, and nothing of the credentials.
func TestErrors(t *testing.T) {
	server := s3test.Start(t)
	server.Bucket(t, "library", "a/b")
	server.Bucket(t, "public", "a/b")
	server.Publish(t, "public")
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	home := t.TempDir()
	shared := filepath.Join(home, "config")
	text := fmt.Sprintf("[profile reader]\nregion = %s\naws_access_key_id = %s\naws_secret_access_key = %s\nendpoint_url = %s\n"+
		"[profile stranger]\naws_access_key_id = AKIDSTRANGER\naws_secret_access_key = SECRETSTRANGER\n", s3test.Region, server.AccessKey, server.SecretKey, server.Endpoint)
	if err := os.WriteFile(shared, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		env    []string
		url    string
		config s3client.Config
		want   string // in the error; empty: none
	}{
		{"right", server.Env(), "s3://library", s3client.Config{}, ""},
		{"no bucket", server.Env(), "s3://libary", s3client.Config{}, `there is no bucket "libary"`},
		{"wrong region is corrected", server.Env(), "s3://library", s3client.Config{Region: "us-west-2"}, ""},
		{"wrong secret", append(server.Env(), "AWS_SECRET_ACCESS_KEY=wrong"), "s3://library", s3client.Config{}, "does not belong to the access key"},
		{"unknown key", append(server.Env(), "AWS_ACCESS_KEY_ID=AKIDNOBODY"), "s3://library", s3client.Config{}, "does not know the access key"},
		{"profile", append(s3test.NoAWS(), "AWS_CONFIG_FILE="+shared), "s3://library", s3client.Config{Profile: "reader"}, ""},
		{"profile of the environment", append(s3test.NoAWS(), "AWS_CONFIG_FILE="+shared, "AWS_PROFILE=reader"), "s3://library", s3client.Config{}, ""},
		{"missing profile", append(s3test.NoAWS(), "AWS_CONFIG_FILE="+shared), "s3://library", s3client.Config{Profile: "raeder"}, `there is no profile "raeder"`},
		{"stranger", append(s3test.NoAWS(), "AWS_CONFIG_FILE="+shared), "s3://library", s3client.Config{Profile: "stranger", Endpoint: server.Endpoint}, "does not know the access key"},
		{"anonymous", server.Env(), "s3://public", s3client.Config{Anonymous: true}, ""},
		{"anonymous, not public", server.Env(), "s3://library", s3client.Config{Anonymous: true}, "remove anonymous = true"},
		{"no credentials, public", append(s3test.NoAWS(), "AWS_ENDPOINT_URL="+server.Endpoint), "s3://public", s3client.Config{}, ""},
		{"no credentials", append(s3test.NoAWS(), "AWS_ENDPOINT_URL="+server.Endpoint), "s3://library", s3client.Config{}, "there are no AWS credentials"},
		{"nobody there", server.Env(), "s3://library", s3client.Config{Endpoint: "http://" + closed.Addr().String()}, "cannot be reached at http://" + closed.Addr().String()},
	} {
		t.Run(test.name, func(t *testing.T) {
			s3test.Setenv(t, test.env)
			start := time.Now()
			src, err := s3.Open(test.url, test.config)
			if err == nil {
				_, err = src.Revision(context.Background())
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v, want one with %q", err, test.want)
			case err != nil && (strings.Contains(err.Error(), server.SecretKey) || strings.Contains(err.Error(), server.AccessKey) || strings.Contains(err.Error(), "SECRETSTRANGER")):
				t.Errorf("the error shows credentials: %v", err)
			}
		})
	}
}

// TestNobodyKeepsWaiting: without credentials and without the metadata service of EC2, the look for a role ends soon.
func TestNobodyKeepsWaiting(t *testing.T) {
	s3test.Setenv(t, append(s3test.NoAWS(), "AWS_EC2_METADATA_DISABLED=", "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:9"))
	closed := "http://127.0.0.1:9"
	start := time.Now()
	src := open(t, "s3://library", s3client.Config{Endpoint: closed})
	_, err := src.Revision(context.Background())
	if took := time.Since(start); err == nil || took > 8*time.Second {
		t.Errorf("%v after %v", err, took)
	}
}

// TestVirtualHost lists a bucket whose name stands in the host. No such host exists, so requests go through a proxy, which the
// environment names; Go reads that once, so another process does it.
func TestVirtualHost(t *testing.T) {
	if os.Getenv("TAFC_TEST_VIRTUAL_HOST") != "" {
		src := open(t, "s3://library", s3client.Config{Endpoint: "http://" + s3test.VirtualDomain, PathStyle: new(bool)})
		if keys := scan(t, src); len(keys) != len(books) {
			t.Errorf("%d keys", len(keys))
		}
		return
	}
	server := s3test.Start(t)
	server.Bucket(t, "library", books...)
	proxy := s3test.NewProxy(t, server.Endpoint)
	cmd := exec.Command(os.Args[0], "-test.run", "^TestVirtualHost$")
	cmd.Env = append(os.Environ(), append(server.Env(), "HTTP_PROXY="+proxy.Endpoint, "http_proxy="+proxy.Endpoint, "NO_PROXY=", "no_proxy=", "AWS_ENDPOINT_URL_S3=", "TAFC_TEST_VIRTUAL_HOST=1")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, r := range proxy.Requests() {
		if r.Path != "/" {
			t.Errorf("the path of %s names the bucket", r)
		}
	}
	if proxy.Lists() == 0 {
		t.Error("nothing was listed")
	}
}

// TestStops: a listing that nobody wants any more ends at once.
func TestStops(t *testing.T) {
	server := s3test.Start(t)
	server.Setenv(t)
	server.Bucket(t, "library", books...)
	proxy := s3test.NewProxy(t, server.Endpoint)
	proxy.Faults(func(s3test.Request) s3test.Fault { return s3test.Fault{Stall: time.Minute} })
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := open(t, "s3://library", s3client.Config{Endpoint: proxy.Endpoint}).Revision(ctx)
	if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took > 5*time.Second {
		t.Errorf("%v after %v", err, took)
	}
}

func TestOpen(t *testing.T) {
	for url, want := range map[string]string{
		"s3://":                     "names no bucket",
		"s3:bucket":                 "names no bucket",
		"s3://user:secret@bucket/x": "no name of a bucket",
		"s3://bucket//x":            "empty folder",
	} {
		if _, err := s3.Open(url, s3client.Config{}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want an error with %q", url, err, want)
		}
	}
	for _, endpoint := range []string{"s3.example.org", "http://user:pass@s3.example.org", "https://s3.example.org?x=1"} {
		if _, err := s3.Open("s3://bucket", s3client.Config{Endpoint: endpoint}); err == nil || strings.Contains(err.Error(), "pass@") {
			t.Errorf("endpoint %s: %v", endpoint, err)
		}
	}
}
