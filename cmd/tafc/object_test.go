package main

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/tafc/tafc/internal/s3test"
)

// An output goes to a bucket, whole or not at all, and is not sent again when the bucket has it.
func TestOutputToBucket(t *testing.T) {
	server := s3test.Start(t)
	server.Bucket(t, "results")
	server.Put(t, "results", "daily/lines.csv", []byte("before"))
	proxy := s3test.NewProxy(t, server.Endpoint)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "data", "a"), "x\ny\nx\n")
	write(t, filepath.Join(dir, "a.taf.hcl"), `
index "data" {
  source = "dir:data"
}

filter "all" {}

map "lines" {
  command = "sed 's/$/\t1/'"
}

reduce "count" {
  input   = map.lines
  command = "awk -F'\t' '{ n[$1] += $2 } END { for (k in n) print k \"\t\" n[k] }'"
}

output "lines" {
  value  = reduce.count
  format = "csv"
  to     = "s3://results/daily/lines.csv"
}
`)
	run := func(want int, args ...string) string {
		t.Helper()
		cmd := tafc(dir, args...)
		cmd.Env = append(cmd.Env, append(server.Env(), "AWS_ENDPOINT_URL_S3="+proxy.Endpoint, "NO_COLOR=1")...)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Fatalf("tafc %v: exit code %d, want %d\n%s", args, got, want, out)
		}
		return string(out)
	}
	object := func() (string, string) {
		t.Helper()
		out, err := server.Client.GetObject(context.Background(), &s3.GetObjectInput{Bucket: aws.String("results"), Key: aws.String("daily/lines.csv")})
		if err != nil {
			t.Fatal(err)
		}
		defer out.Body.Close()
		data, err := io.ReadAll(out.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(data), aws.ToString(out.ContentType)
	}
	proxy.Faults(func(r s3test.Request) s3test.Fault {
		if r.Method == http.MethodPut {
			return s3test.Fault{Status: 403, Code: "AccessDenied"}
		}
		return s3test.Fault{}
	})
	if said := run(1, "run", "a.taf.hcl"); !strings.Contains(said, "s3://results/daily/lines.csv is not written, and what was there is as it was: writing to bucket \"results\" is denied") {
		t.Errorf("a refused output says:\n%s", said)
	}
	if got, _ := object(); got != "before" {
		t.Errorf("after a refusal the object is %q", got)
	}
	proxy.Faults(nil)
	if said := run(0, "run", "a.taf.hcl"); !strings.Contains(said, "→ s3://results/daily/lines.csv (2 rows)") {
		t.Errorf("the output is not named:\n%s", said)
	}
	got, contentType := object()
	if got == "before" || got != run(0, "output", "lines", "a.taf.hcl") || contentType != "text/csv; charset=utf-8" {
		t.Errorf("the object is %q, %s", got, contentType)
	}
	proxy.Reset()
	if said := run(0, "run", "a.taf.hcl"); !strings.Contains(said, "(unchanged)") {
		t.Errorf("the same output again:\n%s", said)
	}
	for _, r := range proxy.Requests() {
		if r.Method != http.MethodHead {
			t.Errorf("sent again: %s", r)
		}
	}
}
