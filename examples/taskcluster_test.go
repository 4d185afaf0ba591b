package examples_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/internal/s3test"
	"github.com/tafc/tafc/taskcluster/tctest"
	"github.com/tafc/tafc/taskcluster/tctest/worker"
)

// On Taskcluster each example gives the same bytes as on this computer, with payloads of both kinds. Nothing in it is changed but where its
// files are: in a bucket, whose credentials the secrets service keeps.
func TestExamplesOnTaskcluster(t *testing.T) {
	if runtime.GOOS == "windows" || testing.Short() {
		t.Skip("tasks do not run on Windows, and it takes its time")
	}
	s3 := s3test.Start(t)
	tafc := buildTafc(t)
	tools := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(tools, "taf-mapper"), "../cmd/taf-mapper")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build taf-mapper: %v\n%s", err, out)
	}
	program, err := os.ReadFile(filepath.Join(tools, "taf-mapper"))
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(program) }))
	t.Cleanup(web.Close)
	s3.Bucket(t, "data")
	for _, folder := range []string{"telemetry", "text"} {
		store(t, s3, "../testdata/"+folder, folder)
	}
	for _, payload := range []string{"docker-worker", "generic-worker"} {
		t.Run(payload, func(t *testing.T) {
			t.Parallel()
			server := tctest.New(t, tctest.Options{LongPoll: time.Second})
			server.Secret("project/taf/bucket", map[string]string{"accessKeyId": s3.AccessKey, "secretAccessKey": s3.SecretKey})
			path := filepath.SplitList(os.Getenv("PATH"))
			mapper := ""
			if payload == "docker-worker" {
				path = append([]string{tools}, path...) // it is part of images
			} else {
				mapper = fmt.Sprintf("%s/taf-mapper#sha256=%x", web.URL, sha256.Sum256(program)) // it is a mount
			}
			worker.New(t, server, worker.Options{Queue: "proj-taf/ci", Capacity: 4, Containers: worker.Processes, Path: path, Log: t.Logf})
			root := t.TempDir()
			copyTree(t, ".", filepath.Join(root, "examples"))
			copyTree(t, "../testdata/telemetry", filepath.Join(root, "testdata/telemetry"))
			copyTree(t, "../testdata/text", filepath.Join(root, "testdata/text"))
			env := append(append(os.Environ(), s3test.NoAWS()...), server.Env(server.Admin())...)
			env = append(env, "TAF_QUEUE=proj-taf/ci", "TAF_PAYLOAD="+payload, "TAF_OWNER=you@example.org", "TAF_SOURCE=https://example.org/a",
				"TAF_IMAGE=example/taf@sha256:"+strings.Repeat("ab", 32), "TAF_S3_CREDENTIALS=secret:project/taf/bucket", "TAF_POLL=100ms", "TAF_MAPPER="+mapper)
			for _, e := range examples {
				t.Run(e.name, func(t *testing.T) {
					for _, tool := range e.tools {
						require.Tool(t, tool)
					}
					file := filepath.Join("examples", e.name+".taf.hcl")
					move(t, filepath.Join(root, file), s3)
					run := exec.Command(tafc, "run", "-engine", "taskcluster", file)
					run.Dir, run.Env = root, env
					if out, err := run.CombinedOutput(); err != nil {
						t.Fatalf("tafc run %s: %v\n%s", file, err, out)
					}
					got, err := os.ReadFile(filepath.Join(root, "examples/results", e.name+".txt"))
					if err != nil {
						t.Fatal(err)
					}
					want, err := os.ReadFile(filepath.Join("../testdata/expected", e.name+".txt"))
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(string(want), string(got)); diff != "" {
						t.Errorf("result (-want +got):\n%s", diff)
					}
				})
			}
		})
	}
}

// store puts the files of a folder into the bucket.
func store(t *testing.T, s3 *s3test.Server, folder, prefix string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(name)
		s3.Put(t, "data", prefix+"/"+filepath.ToSlash(rel), data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

var source = regexp.MustCompile(`(?m)^(\s*)source = "dir:\.\./testdata/(\w+)"$`)

// move gives the index of an analysis another root.
func move(t *testing.T, file string, s3 *s3test.Server) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	moved := source.ReplaceAllString(string(text), fmt.Sprintf("$0\n${1}root = \"s3://data/$2\"\n${1}endpoint = %q\n${1}region = %q", s3.Endpoint, s3test.Region))
	if moved == string(text) {
		t.Fatalf("%s has no index to move", file)
	}
	if err := os.WriteFile(file, []byte(moved), 0o644); err != nil {
		t.Fatal(err)
	}
}
