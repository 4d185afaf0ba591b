package local_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/engine/enginetest"
	"github.com/tafc/tafc/engine/local"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/container"
	"github.com/tafc/tafc/internal/dockertest"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// inImage is an engine whose tasks run in an image.
type inImage struct {
	*local.Engine
	image string
}

func (e inImage) Apply(ctx context.Context, run *engine.Run, observe engine.Observer) (*engine.Outcome, error) {
	for _, t := range run.Tasks {
		t.Image = &engine.Image{Ref: e.image}
	}
	return e.Engine.Apply(ctx, run, observe)
}

const (
	withMapper = "taf-base:" + dockertest.Tag
	without    = dockertest.Debian
)

func containerEngine(t *testing.T, image string, o local.Options) inImage {
	t.Helper()
	if o.Container == "" {
		o.Container = container.Docker
	}
	o.Workers, o.Mapper = 2, dockertest.Mapper(t)
	e, err := local.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return inImage{e, image}
}

// TestConformanceInContainers runs the suite in containers: the whole of it when TAF_SLOW is set, which takes minutes. Some of its tasks write
// into its folder, which real ones do not see.
func TestConformanceInContainers(t *testing.T) {
	dockertest.Images(t)
	enginetest.SuiteOf(t, enginetest.Traits{Slow: os.Getenv("TAF_SLOW") == ""}, func(t *testing.T, db *state.DB, workers int) engine.Engine {
		o := local.Options{State: db, Workers: workers, Container: container.Docker, Stop: 5 * time.Second}
		e, err := local.New(local.Share(o, filepath.Dir(t.TempDir())))
		if err != nil {
			t.Fatal(err)
		}
		return inImage{e, withMapper}
	})
	nothingLeft(t)
}

// nothingLeft makes sure that no container of a test is there any more.
func nothingLeft(t *testing.T) {
	t.Helper()
	out, err := exec.Command("docker", "ps", "--all", "--quiet", "--filter", "label=org.tafc.state="+os.TempDir()).Output()
	if err != nil || len(out) > 0 {
		t.Errorf("left containers: %s, %v", out, err)
	}
}

// one runs a task with a command in a container and returns its attempt and the report of its end.
func one(t *testing.T, image, command string, o local.Options, change func(*engine.Task)) (*job.Report, string) {
	t.Helper()
	o.State = openState(t)
	b := enginetest.NewBuild(t, t.TempDir(), "run-1")
	m := b.Map("one", "1", "a\n", command)
	if change != nil {
		change(m)
	}
	var report *job.Report
	out, err := containerEngine(t, image, o).Apply(t.Context(), b.Run, func(e engine.Event) {
		if e.Report != nil {
			report = e.Report
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if report == nil {
		t.Fatalf("no report: %+v", out)
	}
	log, err := os.ReadFile(filepath.Join(o.State.AttemptDir("run-1", m.Addr, 1), "log.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return report, string(log)
}

func TestContainerIsClosed(t *testing.T) {
	dockertest.Images(t)
	for name, image := range map[string]string{"the image's taf-mapper": withMapper, "ours": without} {
		t.Run(name, func(t *testing.T) {
			script := `cat; exec >&2
touch /usr/x || echo no-root
ls /sys/class/net | grep -v '^\(lo\|tunl0\|sit0\|.*tnl.*\|.*gre.*\|.*vti.*\|erspan.*\)$' || echo no-network
touch /tmp/x "$TMPDIR/x" && echo temp
[ -z "$LOCAL_TEST_SECRET" ] && echo no-secret
grep -q '^CapEff:\s*0000000000000002' /proc/self/status && echo one-capability
grep -q '^NoNewPrivs:\s*1' /proc/self/status && echo no-more
echo "TOKEN=$TOKEN"`
			t.Setenv("LOCAL_TEST_SECRET", "of another")
			report, log := one(t, image, script, local.Options{
				Secrets: map[addr.Stage]map[string]string{{Kind: "map", Name: "one"}: {"TOKEN": "se\"cret"}},
			}, nil)
			if report.Cause != job.CauseDone {
				t.Fatalf("%+v\n%s", report.Failure, log)
			}
			for _, want := range []string{"no-root", "no-network", "temp", "no-secret", "no-more", `TOKEN=se"cret`} {
				if !strings.Contains(log, want) {
					t.Errorf("the log has no %q:\n%s", want, log)
				}
			}
			if os.Getuid() == 0 && !strings.Contains(log, "one-capability") {
				t.Errorf("root has more than the right to read and write files:\n%s", log)
			}
		})
	}
}

func TestContainerOutOfMemory(t *testing.T) {
	dockertest.Images(t)
	for name, command := range map[string]string{
		"the program": `cat; exec dd if=/dev/zero of=/dev/null bs=200M count=1`, "one that it starts": `cat; dd if=/dev/zero of=/dev/null bs=200M count=1; exit 7`,
	} {
		t.Run(name, func(t *testing.T) {
			report, log := one(t, withMapper, command, local.Small(local.Options{}, 128<<20), func(m *engine.Task) { m.Spec.Limits.Memory = 64 << 20 })
			if report.Cause != job.CauseMemory || report.Failure == nil || !strings.Contains(report.Failure.Message, "limit of 128 MiB") {
				t.Errorf("%s, %+v; want memory, and the limit\n%s", report.Cause, report.Failure, log)
			}
		})
	}
}

func TestImageThatIsNotThere(t *testing.T) {
	dockertest.Images(t)
	b := enginetest.NewBuild(t, t.TempDir(), "run-1")
	b.Map("one", "1", "a\n", "cat")
	const image = "127.0.0.1:1/tafc-test/no-such-image"
	_, err := containerEngine(t, image, local.Options{State: openState(t)}).Apply(t.Context(), b.Run, nil)
	if err == nil || !strings.Contains(err.Error(), "cannot be fetched") || !strings.Contains(err.Error(), "-container none") {
		t.Errorf("%v, want what is wrong and a way out", err)
	}
	var warnings []string
	report, _ := one(t, image, "cat", local.Options{Container: local.ContainerAuto, Warn: func(text string) { warnings = append(warnings, text) }}, nil)
	if report.Cause != job.CauseDone || len(warnings) != 1 || !strings.Contains(warnings[0], "docker pull "+image) {
		t.Errorf("%s, warnings %q; want a run without the image, and one warning", report.Cause, warnings)
	}
}

func TestNoDaemon(t *testing.T) {
	t.Setenv("PATH", t.TempDir()+":"+os.Getenv("PATH"))
	t.Setenv("DOCKER_HOST", "unix:///nowhere.sock")
	t.Setenv("CONTAINER_HOST", "unix:///nowhere.sock")
	var warnings []string
	// No matter whether the tools are installed.
	report, _ := one(t, "any", "cat", local.Options{Container: local.ContainerAuto, Warn: func(text string) { warnings = append(warnings, text) }}, nil)
	if report.Cause != job.CauseDone || len(warnings) != 1 {
		t.Errorf("%s, warnings %q; want a run with one warning", report.Cause, warnings)
	}
	b := enginetest.NewBuild(t, t.TempDir(), "run-1")
	b.Map("one", "1", "a\n", "cat")
	_, err := containerEngine(t, "any", local.Options{State: openState(t)}).Apply(t.Context(), b.Run, nil)
	var unavailable *container.UnavailableError
	if !errors.As(err, &unavailable) || !strings.Contains(err.Error(), "-container none") {
		t.Errorf("%v, want that Docker cannot be used, and a way out", err)
	}
}

// TestKilledWithContainers kills an apply while its tasks run: the containers end by themselves, and the next apply removes them.
func TestKilledWithContainers(t *testing.T) {
	dockertest.Images(t)
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "LOCAL_TEST_CONTAINER="+dir)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	running := func(filter string) string {
		out, err := exec.Command("docker", "ps", "--no-trunc", "--format", "{{.ID}}", "--filter", "label=org.tafc.state="+filepath.Join(dir, ".taf"), "--filter", filter).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	wait := func(what string, until func() bool) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); !until(); time.Sleep(200 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s did not come about; the killed process said: %s", what, &said)
			}
		}
	}
	started := filepath.Join(dir, "started")
	wait("the start of the task", func() bool { _, err := os.Stat(started); return err == nil })
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	wait("the end of the container", func() bool { return running("status=running") == "" })
	if running("status=exited") == "" {
		t.Error("the container is gone already, so the next apply has nothing to remove")
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := applyContained(dir, "run-2"); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("docker", "ps", "--all", "--quiet", "--filter", "label=org.tafc.state="+filepath.Join(dir, ".taf")).Output()
	if err != nil || len(out) > 0 {
		t.Errorf("left containers: %s, %v", out, err)
	}
}

// applyContained is what is killed: one task that waits for a file.
func applyContained(dir, id string) error {
	ctx := context.Background()
	db, err := state.Open(ctx, filepath.Join(dir, ".taf"))
	if err != nil {
		return err
	}
	e, err := local.New(local.Share(local.Options{State: db, Container: container.Docker}, dir))
	if err != nil {
		return err
	}
	b := enginetest.NewBuild(&testing.T{}, dir, id)
	b.Map("waits", "1", "a\n", fmt.Sprintf("cat; touch %[1]s/started; [ -e %[1]s/go ] || sleep 300", dir))
	out, err := inImage{e, withMapper}.Apply(ctx, b.Run, nil)
	if err == nil && len(out.Failed) > 0 {
		err = fmt.Errorf("%s failed", out.Failed[0].Addr)
	}
	return errors.Join(err, db.Close())
}
