package taskcluster_test

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/engine/enginetest"
	tc "github.com/tafc/tafc/engine/taskcluster"
	"github.com/tafc/tafc/runtime/agent"
	"github.com/tafc/tafc/runtime/mapper"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/tctest"
	"github.com/tafc/tafc/taskcluster/tctest/worker"
)

// TestMain makes the test binary the program that tasks run: under the name taf-mapper it is that.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "taf-mapper" && len(os.Args) > 1 && os.Args[1] == "task" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(agent.Main(ctx, os.Args[2:], mapper.Streams{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}))
	}
	if filepath.Base(os.Args[0]) == "taf-applier" {
		os.Exit(applyMain(context.Background(), os.Args[1:]))
	}
	os.Exit(m.Run())
}

// program is a folder with taf-mapper in it.
func program(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(dir, "taf-mapper"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

const queue = "proj-taf/ci"

func settings(s *tctest.Server, payload string) *tc.Settings {
	set := settingsAt(s.RootURL)
	set.Payload = payload
	return set
}

// settingsAt are settings for docker-style payloads.
func settingsAt(root string) *tc.Settings {
	return &tc.Settings{
		RootURL: root, Queue: queue, Payload: tc.DockerPayload, Priority: "lowest", Scheduler: "-", Project: "none",
		Deadline: 24 * time.Hour, Expires: 28 * 24 * time.Hour, ArtifactPrefix: "public/taf", S3Credentials: "worker",
		Image: "python@sha256:" + string(make64('a')), Owner: "you@example.org", Source: "https://example.org/a",
		MaxDependencies: 10_000, LocalFiles: true,
	}
}

func make64(c byte) []byte {
	b := make([]byte, 64)
	for i := range b {
		b[i] = c
	}
	return b
}

// client is one with all scopes.
func client(t *testing.T, s *tctest.Server) *taskcluster.Client {
	t.Helper()
	admin := s.Admin()
	c, err := taskcluster.New(taskcluster.Config{
		RootURL: s.RootURL, Credentials: &taskcluster.Credentials{ClientID: admin.ClientID, AccessToken: admin.AccessToken},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newEngine(t *testing.T, s *tctest.Server, db *state.DB, set *tc.Settings) *tc.Engine {
	t.Helper()
	e, err := tc.New(tc.Options{State: db, Client: client(t, s), Settings: set, Notice: func(text string) { t.Log(text) }, Poll: 50 * time.Millisecond, MaxPoll: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestConformance runs what every engine must do on a double whose worker really runs the tasks, with payloads of both kinds.
func TestConformance(t *testing.T) {
	for _, payload := range []string{tc.DockerPayload, tc.NativePayload} {
		t.Run(payload, func(t *testing.T) {
			// The suite's runs have the same ids in each test, so each has a deployment of its own.
			servers := map[*testing.T]*tctest.Server{}
			enginetest.SuiteOf(t, enginetest.Traits{Deployed: true}, func(t *testing.T, db *state.DB, _ int) engine.Engine {
				if servers[t] == nil {
					servers[t] = tctest.New(t, tctest.Options{LongPoll: time.Second})
					worker.New(t, servers[t], worker.Options{Queue: queue, Capacity: 3, Containers: worker.Processes, Path: []string{program(t)}, Log: t.Logf})
				}
				return newEngine(t, servers[t], db, settings(servers[t], payload))
			})
		})
	}
}
