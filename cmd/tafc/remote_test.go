//go:build unix

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tafc/tafc/internal/ledgertest"
	"github.com/tafc/tafc/internal/s3test"
)

const remoteProgram = `
index "data" {
  %s
}
filter "all" {}
batch {
  max_files = 3
}
map "lines" {
  command = "sed 's/$/\t1/'"
}
reduce "count" {
  input   = map.lines
  command = "awk -F'\t' '{ n[$1] += $2 } END { for (k in n) print k \"\t\" n[k] }'"
}
output "lines" {
  value = reduce.count
  to    = "lines.txt"
}
`

// An analysis over a bucket gives what it gives over the same files in a folder, also through connections that break; the same
// objects behind another endpoint are not read again.
func TestRunOverBucket(t *testing.T) {
	server := s3test.Start(t)
	proxy := s3test.NewProxy(t, server.Endpoint)
	proxy.Faults(func(r s3test.Request) s3test.Fault {
		if r.Method == http.MethodGet && !r.IsList() && r.Number%4 == 0 {
			return s3test.Fault{Truncate: 40}
		}
		return s3test.Fault{}
	})
	dir := t.TempDir()
	t.Cleanup(func() { ledgertest.Folder(t, dir) })
	server.Bucket(t, "library")
	for i := range 10 {
		var data bytes.Buffer
		w := gzip.NewWriter(&data)
		for n := range 50 {
			fmt.Fprintf(w, "line %d\n", (n*n+i)%17)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		key := fmt.Sprintf("part %d%%.gz", i)
		server.Put(t, "library", "logs/a b/"+key, data.Bytes())
		if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "data", key), data.String())
	}
	files := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, "data"))))
	t.Cleanup(files.Close)
	run := func(index, state string) (result, printed string) {
		t.Helper()
		write(t, filepath.Join(dir, "a.taf.hcl"), fmt.Sprintf(remoteProgram, strings.ReplaceAll(index, "; ", "\n  ")))
		cmd := tafc(dir, "run", "-state", filepath.Join(dir, state), "a.taf.hcl")
		cmd.Env = append(cmd.Env, append(server.Env(), "AWS_ENDPOINT_URL_S3=")...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", index, err, out)
		}
		text, err := os.ReadFile(filepath.Join(dir, "lines.txt"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text), string(out)
	}
	want, _ := run(`source = "dir:data"`, "local")
	bucket := `source = "s3://library/logs/a b"; endpoint = %q`
	got, _ := run(fmt.Sprintf(bucket, proxy.Endpoint), "s3")
	if got != want || got == "" {
		t.Errorf("over the bucket:\n%s\nwant:\n%s", got, want)
	}
	proxy.Faults(nil)
	proxy.Reset()
	if _, out := run(fmt.Sprintf(bucket, server.Endpoint), "s3"); strings.Contains(out, "map.lines will") || !strings.Contains(strings.ToLower(out), "up to date") && !strings.Contains(strings.ToLower(out), "nothing to do") {
		t.Errorf("another endpoint of the same bucket:\n%s", out)
	}
	if got, _ := run(fmt.Sprintf(`source = "dir:data"; root = %q`, files.URL), "web"); got != want {
		t.Errorf("over a web server:\n%s\nwant:\n%s", got, want)
	}
	err := filepath.WalkDir(filepath.Join(dir, "s3"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(server.SecretKey)) {
			t.Errorf("%s holds the secret key", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Records of stores are shown by URL, and by key as the map gets them.
func TestHeadOverStores(t *testing.T) {
	server := s3test.Start(t)
	server.Bucket(t, "library")
	data := []byte("{\"n\":1,\"x\":2}\n{\"n\":2}\n{\"n\":3}\n")
	server.Put(t, "library", "logs/a.jsonl", data)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.jsonl"), string(data))
	files := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(files.Close)
	program := strings.Replace(fmt.Sprintf(remoteProgram, fmt.Sprintf("source = \"s3://library/logs\"\n  endpoint = %q", server.Endpoint)), "map \"lines\" {", "map \"lines\" {\n  format = \"jsonl\"\n  fields = [\"n\"]", 1)
	write(t, filepath.Join(dir, "a.taf.hcl"), program)
	whole := "     1  {\"n\":1,\"x\":2}\n     2  {\"n\":2}\n"
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"s3://library/logs/a.jsonl", "-endpoint", server.Endpoint}, whole},
		{[]string{files.URL + "/a.jsonl"}, whole},
		{[]string{"a.jsonl", "a.taf.hcl", "-stage", "lines"}, "     1  {\"n\":1}\n     2  {\"n\":2}\n"},
	} {
		cmd := tafc(dir, append([]string{"head", "-n", "2"}, c.args...)...)
		cmd.Env = append(cmd.Env, append(server.Env(), "AWS_ENDPOINT_URL_S3=")...)
		var said bytes.Buffer
		cmd.Stderr = &said
		if got, err := cmd.Output(); err != nil || string(got) != c.want {
			t.Errorf("head %v: %v\n%s\n%s\nwant:\n%s", c.args, err, got, said.String(), c.want)
		}
	}
	if err := os.Remove(filepath.Join(dir, "a.jsonl")); err != nil {
		t.Fatal(err)
	}
	cmd := tafc(dir, "head", "a.jsonl", "a.taf.hcl")
	cmd.Env = append(cmd.Env, server.Env()...)
	if got, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(got), "     1  {\"n\":1}\n") {
		t.Errorf("head of a key: %v\n%s", err, got)
	}
}
