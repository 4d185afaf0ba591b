package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/internal/s3test"
)

// s3Folder is a folder with an analysis over a bucket, and the environment to run it in.
type s3Folder struct {
	dir string
	env []string
}

func (f *s3Folder) run(t *testing.T, want int, args ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = f.dir
	cmd.Env = append(append(os.Environ(), f.env...), "TAFC_TEST_MAIN=1", "NO_COLOR=1", "COLUMNS=200")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Fatalf("tafc %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, want, &out)
	}
	return out.String()
}

const s3Analysis = `index "library" {
  source   = "s3://library/books"
  layout   = "{language}/{day:date}/{rest}"
  endpoint = %q
  profile  = "reader"
}

filter "german" {
  where {
    language = "de"
  }
}

map "lines" {
  code = "mapper.py"
}

output "lines" {
  value = map.lines
}
`

// TestPlanOverBucket plans over a bucket, saves the plan, and looks at all that is written for a trace of the credentials, which come from a
// profile in a configuration file.
func TestPlanOverBucket(t *testing.T) {
	server := s3test.Start(t)
	server.Bucket(t, "library", "books/de/2014-03-01/a", "books/de/2014-03-02/b", "books/en/2014-03-01/a", "books/fr/2014-03-01/a")
	proxy := s3test.NewProxy(t, server.Endpoint)
	f := &s3Folder{dir: t.TempDir()}
	home := t.TempDir()
	f.env = append(s3test.NoAWS(), "AWS_CONFIG_FILE="+filepath.Join(home, "config"))
	for name, text := range map[string]string{
		filepath.Join(home, "config"): fmt.Sprintf("[profile reader]\nregion = %s\naws_access_key_id = %s\naws_secret_access_key = %s\n",
			s3test.Region, server.AccessKey, server.SecretKey),
		filepath.Join(f.dir, "books.taf.hcl"): fmt.Sprintf(s3Analysis, proxy.Endpoint),
		filepath.Join(f.dir, "mapper.py"):     "def map(record):\n    yield 'lines', 1\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	printed := f.run(t, 0, "validate")
	if proxy.Lists() != 0 {
		t.Error("validate looked at the bucket")
	}
	text := f.run(t, 0, "plan", "-out", "next.plan")
	for _, want := range []string{"2 files listed, 2 folders not", "2 match", "+ 2014-03-01", "+ 2014-03-02"} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan does not say %q:\n%s", want, text)
		}
	}
	if n := proxy.Lists(); n != 2 {
		t.Errorf("%d listings; one of the languages and one of de/ would do", n)
	}
	printed += text + f.run(t, 0, "plan", "-json") + f.run(t, 0, "index", "query", "-json")
	var query struct {
		Files []struct{ Key string }
	}
	if err := json.Unmarshal([]byte(f.run(t, 0, "index", "query", "-json")), &query); err != nil || len(query.Files) != 2 {
		t.Errorf("%v: %+v", err, query)
	}

	// What the filter does not look at may change before a plan is carried out; what it does may not.
	server.Put(t, "library", "books/en/2014-03-05/new", []byte("x"))
	printed += f.run(t, 0, "apply", "next.plan")
	printed += f.run(t, 0, "plan", "-out", "next.plan")
	server.Put(t, "library", "books/de/2014-03-05/new", []byte("x"))
	if text := f.run(t, 1, "apply", "next.plan"); !strings.Contains(text, "out of date") {
		t.Errorf("a new file: %s", text)
	}
	printed += f.run(t, 0, "run")
	printed += f.run(t, 0, "index", "build", "s3://library/books", "-endpoint", proxy.Endpoint, "-profile", "reader", "-o", "index.db")
	printed += f.run(t, 0, "index", "show", "sqlite:index.db")

	for _, secret := range []string{server.SecretKey, server.AccessKey} {
		if strings.Contains(printed, secret) {
			t.Errorf("a credential was printed:\n%s", printed)
		}
		err := filepath.WalkDir(f.dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("a credential is in %s", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestBucketFlags(t *testing.T) {
	f := &s3Folder{dir: t.TempDir(), env: s3test.NoAWS()}
	for _, args := range [][]string{
		{"index", "show", "dir:.", "-anonymous"},
		{"index", "build", "dir:.", "-endpoint", "https://s3.example.org", "-o", "index.db"},
		{"index", "show", "s3://library", "-anonymous", "-profile", "x"},
	} {
		f.run(t, 64, args...)
	}
	if text := f.run(t, 1, "index", "show", "s3://library", "-endpoint", "http://127.0.0.1:9", "-anonymous"); !strings.Contains(text, "cannot be reached at http://127.0.0.1:9") {
		t.Error(text)
	}
}

// TestIndexBuildAgain counts what a second build of an index asks for.
func TestIndexBuildAgain(t *testing.T) {
	server := s3test.Start(t)
	server.Bucket(t, "library", "books/de/2014-03-01/a", "books/de/2014-03-02/b", "books/en/2014-03-01/a", "books/loose")
	proxy := s3test.NewProxy(t, server.Endpoint)
	f := &s3Folder{dir: t.TempDir(), env: append(server.Env(), "AWS_ENDPOINT_URL_S3="+proxy.Endpoint)}
	build := func(lists int, args ...string) string {
		t.Helper()
		proxy.Reset()
		text := f.run(t, 0, append([]string{"index", "build", "s3://library/books", "-o", "index.db"}, args...)...)
		if got := proxy.Lists(); got != lists {
			t.Errorf("tafc index build %v: %d listings, want %d: %v", args, got, lists, proxy.Requests())
		}
		return text
	}
	revision := func(index string) string {
		var shown struct{ Revision string }
		if err := json.Unmarshal([]byte(f.run(t, 0, "index", "show", "sqlite:"+index, "-json")), &shown); err != nil {
			t.Fatal(err)
		}
		return shown.Revision
	}
	whole := func() string {
		f.run(t, 0, "index", "build", "s3://library/books", "-o", "whole.db")
		return revision("whole.db")
	}
	build(1, "-recent", "1") // there is no index yet, so all is listed
	build(1)

	server.Put(t, "library", "books/de/2014-03-02/new", []byte("x"))
	server.Delete(t, "library", "books/en/2014-03-01/a")
	if text := build(2, "-changed", "de/2014-03-02/", "-changed", "en/"); !strings.Contains(text, "4 files") || revision("index.db") != whole() {
		t.Errorf("what changed was listed, and the index is another one than a whole listing gives:\n%s", text)
	}

	// The folders were listed the moment they were filled, so they are not quiet.
	build(4, "-recent", "1") // the root, de/, its two days; en/ is gone
	// Ten days later they are; only the folders are listed that have folders in them, and new ones.
	tool := require.Tool(t, "python3")
	age := exec.Command(tool, "-c", "import sqlite3; db = sqlite3.connect('index.db'); db.execute('update folders set listed = listed + 864000'); db.commit()")
	age.Dir = f.dir
	if out, err := age.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server.Put(t, "library", "books/fr/2014-03-03/a", []byte("x"))
	if text := build(3, "-recent", "7"); !strings.Contains(text, "2 folders not listed again") || revision("index.db") != whole() {
		t.Errorf("quiet folders:\n%s", text)
	}
	server.Put(t, "library", "books/de/2014-03-02/late", []byte("x"))
	build(4, "-recent", "7") // fr/ is new, so it is looked into
	if revision("index.db") == whole() {
		t.Error("a file in a quiet folder was seen, though its folder is not listed")
	}
	build(1)
	if revision("index.db") != whole() {
		t.Error("a whole build misses something")
	}

	f.run(t, 64, "index", "build", "s3://library/books", "-o", "index.db", "-recent", "7", "-changed", "de/")
	f.run(t, 64, "index", "build", "dir:.", "-o", "index.db", "-recent", "7")
	if text := f.run(t, 1, "index", "build", "s3://library", "-o", "index.db", "-recent", "7"); !strings.Contains(text, "was built from s3://library/books, not from s3://library") {
		t.Error(text)
	}
}
