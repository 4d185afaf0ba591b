package worker_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/slugid"
	"github.com/tafc/tafc/taskcluster/tctest"
	"github.com/tafc/tafc/taskcluster/tctest/worker"
)

const queue = "proj-taf/ci"

type fixture struct {
	*testing.T
	server *tctest.Server
	tc     *taskcluster.Client
}

func newFixture(t *testing.T, server tctest.Options) *fixture {
	t.Helper()
	server.LongPoll = 500 * time.Millisecond
	s := tctest.New(t, server)
	admin := s.Admin()
	tc, err := taskcluster.New(taskcluster.Config{RootURL: s.RootURL, Credentials: &taskcluster.Credentials{ClientID: admin.ClientID, AccessToken: admin.AccessToken}})
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{T: t, server: s, tc: tc}
}

func (f *fixture) worker(o worker.Options) *worker.Worker {
	o.Queue, o.Log = queue, f.Logf
	if o.Containers == worker.Auto {
		o.Containers = worker.Processes
	}
	return worker.New(f, f.server, o)
}

// object is a JSON object.
type object = map[string]any

// create creates a task with a payload.
func (f *fixture) create(payload any, dependencies ...string) string {
	f.Helper()
	text, err := json.Marshal(payload)
	if err != nil {
		f.Fatal(err)
	}
	id, now := slugid.New(), time.Now()
	retries := 2
	_, err = f.tc.Queue.CreateTask(f.Context(), id, &taskcluster.TaskDefinition{
		TaskQueueID: queue, Dependencies: dependencies, Retries: &retries, Payload: text, Scopes: []string{"secrets:get:garden"},
		Created: taskcluster.At(now), Deadline: taskcluster.At(now.Add(time.Hour)), Expires: taskcluster.At(now.Add(2 * time.Hour)),
		Metadata: taskcluster.Metadata{Name: f.Name(), Description: "-", Owner: "me@example.org", Source: "https://example.org"},
	})
	if err != nil {
		f.Fatal(err)
	}
	return id
}

// wait waits until a task is resolved.
func (f *fixture) wait(id string) *taskcluster.Status {
	f.Helper()
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		s, err := f.tc.Queue.Status(f.Context(), id)
		if err != nil {
			f.Fatal(err)
		}
		if s.State.Resolved() {
			return s
		}
		if time.Since(begin) > 60*time.Second {
			f.Fatalf("the task is still %s", s.State)
		}
	}
}

// ends is how the latest run of a task ended.
func (f *fixture) ends(id string) string {
	f.Helper()
	run, _ := f.wait(id).LatestRun()
	return string(run.State) + "/" + run.ReasonResolved
}

// read reads an artifact of the latest run.
func (f *fixture) read(id, name string) string {
	f.Helper()
	run, _ := f.wait(id).LatestRun()
	r, err := f.tc.OpenArtifact(f.Context(), id, run.RunID, name)
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		f.Fatal(err)
	}
	return string(data)
}

func native(script string, more object) object {
	p := object{"command": [][]string{{"sh", "-c", script}}, "maxRunTime": 60}
	for name, value := range more {
		p[name] = value
	}
	return p
}

func dockerStyle(script string, more object) object {
	p := object{"image": "example/image:1", "command": []string{"sh", "-c", script}, "maxRunTime": 60}
	for name, value := range more {
		p[name] = value
	}
	return p
}

// How runs end, as generic-worker v106 ends them.
func TestEnds(t *testing.T) {
	f := newFixture(t, tctest.Options{})
	f.worker(worker.Options{Capacity: 4, Unpullable: []string{"example/absent:1"}, MaxRunTime: time.Hour})
	out := func(optional bool) object {
		return object{"artifacts": []object{{"type": "file", "path": "out.txt", "name": "public/out.txt", "optional": optional}}}
	}
	dockerOut := object{"artifacts": object{"public/out.txt": object{"type": "file", "path": "/out/out.txt"}}}
	for name, c := range map[string]struct {
		payload any
		want    string
	}{
		"all is well":                {native("true", nil), "completed/completed"},
		"docker-style":               {dockerStyle("true", nil), "completed/completed"},
		"exit code":                  {native("exit 3", nil), "failed/failed"},
		"killed":                     {native("kill -9 $$", nil), "failed/failed"},
		"no such program":            {object{"command": [][]string{{"no-such-program"}}, "maxRunTime": 60}, "failed/failed"},
		"retried until it is enough": {native("exit 3", object{"onExitStatus": object{"retry": []int{3}}}), "exception/intermittent-task"},
		"the first failure ends":     {object{"command": [][]string{{"true"}, {"false"}, {"sleep", "100"}}, "maxRunTime": 60}, "failed/failed"},
		"too long":                   {native("sleep 100", object{"maxRunTime": 1}), "failed/failed"},
		"too long, not retried":      {dockerStyle("sleep 100", object{"maxRunTime": 1, "onExitStatus": object{"retry": []int{137}}}), "failed/failed"},
		"output missing":             {native("true", out(false)), "failed/failed"},
		"optional output missing":    {native("true", out(true)), "completed/completed"},
		"docker output missing":      {dockerStyle("true", dockerOut), "completed/completed"},
		"unknown member":             {native("true", object{"mistake": 1}), "exception/malformed-payload"},
		"no command":                 {object{"command": [][]string{}, "maxRunTime": 60}, "exception/malformed-payload"},
		"more time than allowed":     {native("true", object{"maxRunTime": 3601}), "exception/malformed-payload"},
		"exit code 0 retried":        {native("true", object{"onExitStatus": object{"retry": []int{0}}}), "exception/malformed-payload"},
		"mount without dependency":   {native("true", object{"mounts": []object{{"file": "x", "content": object{"taskId": slugid.New(), "artifact": "public/x"}}}}), "exception/malformed-payload"},
		"mount outside":              {native("true", object{"mounts": []object{{"file": "../x", "content": object{"raw": ""}}}}), "exception/malformed-payload"},
		"mount with another digest":  {native("true", object{"mounts": []object{{"file": "x", "content": object{"url": f.server.RootURL, "sha256": strings.Repeat("0", 64)}}}}), "failed/failed"},
		"image nobody has":           {object{"image": "example/absent:1", "command": []string{"true"}, "maxRunTime": 60}, "exception/internal-error"},
		"refused feature":            {dockerStyle("true", object{"features": object{"dind": true}}), "exception/malformed-payload"},
		"image without dependency":   {dockerStyle("true", object{"image": object{"type": "task-image", "taskId": slugid.New(), "path": "public/image.tar.zst"}}), "exception/malformed-payload"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := (&fixture{T: t, server: f.server, tc: f.tc}).create(c.payload)
			f := &fixture{T: t, server: f.server, tc: f.tc}
			if got := f.ends(id); got != c.want {
				t.Errorf("it ended %s, want %s\n%s", got, c.want, f.read(id, "public/logs/live_backing.log"))
			}
			if strings.HasSuffix(name, "output missing") && !strings.Contains(f.read(id, "public/out.txt"), "file-missing-on-worker") {
				t.Errorf("the artifact is not an error: %s", f.read(id, "public/out.txt"))
			}
			if name == "retried until it is enough" && len(f.wait(id).Runs) != 3 {
				t.Errorf("%d runs, want 3", len(f.wait(id).Runs))
			}
		})
	}
}

func TestEnvironmentAndProxy(t *testing.T) {
	f := newFixture(t, tctest.Options{})
	f.server.Secret("garden", object{"gate": "open"})
	f.worker(worker.Options{Capacity: 2})
	script := `echo "$OWN $TASK_ID $RUN_ID $TASKCLUSTER_ROOT_URL"; curl -sf "$TASKCLUSTER_PROXY_URL/api/secrets/v1/secret/garden"; echo "${TASKCLUSTER_PROXY_URL:-none}"`
	require.Tool(t, "curl")
	more := object{"env": object{"OWN": "own"}, "features": object{"taskclusterProxy": true}}
	for _, payload := range []any{native(script, more), dockerStyle(script, more)} {
		id := f.create(payload)
		log := f.read(id, "public/logs/live_backing.log")
		if !strings.Contains(log, "own "+id+" 0 "+f.server.RootURL) || !strings.Contains(log, `"gate":"open"`) {
			t.Errorf("%s: %s", f.ends(id), log)
		}
	}
	without := f.create(native(`echo "proxy: ${TASKCLUSTER_PROXY_URL:-none}"`, nil))
	if log := f.read(without, "public/logs/live_backing.log"); !strings.Contains(log, "proxy: none") {
		t.Errorf("without the feature: %s", log)
	}
}

func TestMounts(t *testing.T) {
	f := newFixture(t, tctest.Options{})
	f.worker(worker.Options{})
	var archive bytes.Buffer
	z := gzip.NewWriter(&archive)
	w := tar.NewWriter(z)
	_ = w.WriteHeader(&tar.Header{Name: "bin/hello", Mode: 0o755, Size: 21})
	_, _ = io.WriteString(w, "#!/bin/sh\necho hello\n")
	w.Close()
	z.Close()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive.Bytes()) }))
	defer web.Close()
	sum := sha256.Sum256(archive.Bytes())
	earlier := f.create(native("echo from before > out.txt", object{"artifacts": []object{{"type": "file", "path": "out.txt", "name": "public/out.txt"}}}))
	id := f.create(native("cat raw base64 before; ./tools/bin/hello; test -d cache; [ -x raw ] || echo not executable", object{"mounts": []object{
		{"file": "raw", "content": object{"raw": "raw\n"}},
		{"file": "base64", "content": object{"base64": "YmFzZTY0Cg=="}},
		{"file": "before", "content": object{"taskId": earlier, "artifact": "public/out.txt"}},
		{"directory": "tools", "format": "tar.gz", "content": object{"url": web.URL, "sha256": hex.EncodeToString(sum[:])}},
		{"directory": "cache", "cacheName": "some-cache"},
	}}), earlier)
	if log := f.read(id, "public/logs/live_backing.log"); !strings.Contains(log, "raw\nbase64\nfrom before\nhello\nnot executable\n") {
		t.Errorf("%s: %s", f.ends(id), log)
	}
}

func TestArtifacts(t *testing.T) {
	f := newFixture(t, tctest.Options{})
	f.worker(worker.Options{})
	script := "mkdir -p /out/sub; echo text > /out/report.json; echo deep > /out/sub/part.zst; echo /out/sub"
	id := f.create(dockerStyle(script, object{"artifacts": object{"public/taf": object{"type": "directory", "path": "/out"}}}))
	if got := f.ends(id); got != "completed/completed" {
		t.Fatal(got, f.read(id, "public/logs/live_backing.log"))
	}
	for name, want := range map[string]string{"public/taf/report.json": "gzip", "public/taf/sub/part.zst": ""} {
		at, err := f.tc.Queue.GetArtifact(t.Context(), id, 0, name)
		if err != nil {
			t.Fatal(err)
		}
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, at.URL, nil)
		request.Header.Set("Accept-Encoding", "gzip") // or Go would decode it
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Content-Encoding"); got != want {
			t.Errorf("%s is stored as %q, want %q", name, got, want)
		}
	}
	if got := f.read(id, "public/taf/report.json") + f.read(id, "public/taf/sub/part.zst"); got != "text\ndeep\n" {
		t.Errorf("content %q", got)
	}
	if _, err := os.Stat("/out"); err == nil {
		t.Error("the process wrote to the computer's own /out")
	}
}

// The live log can be followed while the task runs, and afterwards leads to the log that is kept.
func TestLiveLog(t *testing.T) {
	f := newFixture(t, tctest.Options{})
	f.worker(worker.Options{})
	stop := filepath.Join(t.TempDir(), "stop")
	id := f.create(native("echo begun; while [ ! -e "+stop+" ]; do sleep 0.05; done; echo over", nil))
	var log *taskcluster.ArtifactReader
	for begin := time.Now(); log == nil && time.Since(begin) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
		log, _ = f.tc.OpenArtifact(t.Context(), id, 0, "public/logs/live.log")
	}
	if log == nil {
		t.Fatal("there is no live log")
	}
	defer log.Close()
	lines := bufio.NewScanner(log)
	for lines.Scan() && lines.Text() != "begun" {
	}
	if lines.Text() != "begun" {
		t.Fatalf("the live log ends with %q", lines.Text())
	}
	if s, err := f.tc.Queue.Status(t.Context(), id); err != nil || s.State != taskcluster.StateRunning {
		t.Errorf("the task is %v, %v while its log is followed", s, err)
	}
	if err := os.WriteFile(stop, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	rest := ""
	for lines.Scan() {
		rest += lines.Text() + "\n"
	}
	if !strings.Contains(rest, "over\n") {
		t.Errorf("the rest of the live log: %q", rest)
	}
	if kept := f.read(id, "public/logs/live.log"); !strings.Contains(kept, "begun\nover\n") {
		t.Errorf("the log afterwards: %q", kept)
	}
}

// A worker that is lost says nothing: its claim runs out, and the task runs again elsewhere. What it ran is gone.
func TestLostWorker(t *testing.T) {
	f := newFixture(t, tctest.Options{ClaimTimeout: time.Second})
	pid := filepath.Join(t.TempDir(), "pid")
	started := make(chan struct{})
	first := f.worker(worker.Options{Started: func(*worker.Worker, string, int) { close(started) }, Reclaim: time.Hour})
	id := f.create(native("if [ $RUN_ID = 0 ]; then echo $$ > "+pid+"; sleep 100; fi; echo run $RUN_ID", nil))
	<-started
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(10 * time.Millisecond) {
		if data, _ := os.ReadFile(pid); len(data) > 1 {
			break
		}
	}
	first.Kill()
	if data, err := os.ReadFile(pid); err != nil || exec.Command("kill", "-0", strings.TrimSpace(string(data))).Run() == nil {
		t.Errorf("the process of the lost worker lives on (%v)", err)
	}
	f.worker(worker.Options{})
	if got := f.ends(id); got != "completed/completed" {
		t.Errorf("it ended %s", got)
	}
	if runs := f.wait(id).Runs; len(runs) != 2 || runs[0].ReasonResolved != taskcluster.ReasonClaimExpired {
		t.Errorf("runs %+v", runs)
	}
}

// Claims are held for as long as a task takes, and a task that is cancelled stops.
func TestReclaimAndCancel(t *testing.T) {
	f := newFixture(t, tctest.Options{ClaimTimeout: 4 * time.Second})
	f.worker(worker.Options{Reclaim: 300 * time.Millisecond, Capacity: 2})
	long := f.create(native("sleep 6", nil))
	cancelled := f.create(native("sleep 100", nil))
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
		if s, err := f.tc.Queue.Status(t.Context(), cancelled); err == nil && s.State == taskcluster.StateRunning {
			break
		}
	}
	if _, err := f.tc.Queue.CancelTask(t.Context(), cancelled); err != nil {
		t.Fatal(err)
	}
	if got := f.ends(cancelled); got != "exception/canceled" {
		t.Errorf("the cancelled task ended %s", got)
	}
	if got, runs := f.ends(long), len(f.wait(long).Runs); got != "completed/completed" || runs != 1 {
		t.Errorf("the long task ended %s after %d runs", got, runs)
	}
	next := f.create(native("true", nil)) // the worker is free again
	if got := f.ends(next); got != "completed/completed" {
		t.Errorf("the next task ended %s", got)
	}
}

// Faults of the services do not break the worker.
func TestFaults(t *testing.T) {
	f := newFixture(t, tctest.Options{})
	f.worker(worker.Options{})
	for _, method := range []string{"claimWork", "createArtifact", "reportCompleted"} {
		f.server.Inject(tctest.Fault{Method: method, Status: http.StatusBadGateway, Times: 2})
		f.server.Inject(tctest.Fault{Method: method, Reset: true})
	}
	f.server.Inject(tctest.Fault{Method: "reportCompleted", LoseAnswer: true})
	id := f.create(native("echo hello > out.txt", object{"artifacts": []object{{"type": "file", "path": "out.txt", "name": "public/out.txt"}}}))
	if got := f.read(id, "public/out.txt"); got != "hello\n" {
		t.Errorf("%s: %q", f.ends(id), got)
	}
}
