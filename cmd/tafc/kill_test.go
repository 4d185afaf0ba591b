//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tafc/tafc/internal/ledgertest"
	"github.com/tafc/tafc/state"
)

const killProgram = `
index "data" {
  source = "dir:data"
}
filter "all" {}
batch {
  max_files = 2
}
map "lines" {
  command = "sleep 0.02; sed 's/$/\t1/'"
}
reduce "count" {
  input   = map.lines
  fan_in  = 4
  command = "awk -F'\t' '{ n += $2 } END { print \"lines\\t\" n }'"
}
output "lines" {
  value = reduce.count
  to    = "lines.txt"
}
`

// However often tafc is killed, the next run goes on: the result is right, no lock is left, and no task that had finished
// runs again.
func TestKilledRunGoesOn(t *testing.T) {
	dir := t.TempDir()
	t.Cleanup(func() { ledgertest.Folder(t, dir) })
	want := 0
	for i := range 24 {
		lines := 3 + i
		want += lines
		write(t, filepath.Join(dir, "data", fmt.Sprintf("%02d.txt", i)), strings.Repeat("x\n", lines))
	}
	write(t, filepath.Join(dir, "a.taf.hcl"), killProgram)
	random := rand.New(rand.NewPCG(1, 2))
	const kills = 25
	for range kills {
		cmd := tafc(dir, "run", "a.taf.hcl")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.IntN(250)) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	var out bytes.Buffer
	cmd := tafc(dir, "run", "a.taf.hcl")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	got, err := os.ReadFile(filepath.Join(dir, "lines.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != fmt.Sprintf("lines\t%d\n", want) {
		t.Errorf("the result is %q, want %d lines\n%s", got, want, out.String())
	}
	nothingTwice(t, filepath.Join(dir, ".taf"))
}

// nothingTwice fails when two attempts of one task key ended well.
func nothingTwice(t *testing.T, dir string) {
	t.Helper()
	ctx := context.Background()
	db, err := state.Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if h, err := db.Holder(); err != nil || h != nil {
		t.Errorf("the lock is held by %+v (%v)", h, err)
	}
	runs, err := db.Runs(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	done := map[string]int{}
	for _, r := range runs {
		attempts, err := db.RunAttempts(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range attempts {
			if a.State == state.AttemptDone {
				done[a.Address.String()]++
			}
		}
	}
	for address, n := range done {
		if n > 1 {
			t.Errorf("%s was done %d times", address, n)
		}
	}
	if len(done) == 0 {
		t.Error("no task was done at all")
	}
}

// One apply at a time: the second says who holds the state, and cancel stops the first.
func TestOneApplyAtATime(t *testing.T) {
	dir := t.TempDir()
	t.Cleanup(func() { ledgertest.Folder(t, dir) })
	write(t, filepath.Join(dir, "data", "a.txt"), "x\n")
	write(t, filepath.Join(dir, "a.taf.hcl"), strings.Replace(killProgram, "sleep 0.02", "sleep 60", 1))
	first := tafc(dir, "run", "a.taf.hcl")
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Process.Kill() }()
	waitRunning(t, filepath.Join(dir, ".taf"))

	out, err := tafc(dir, "run", "a.taf.hcl").CombinedOutput()
	if code(err) != exitFailed || !strings.Contains(string(out), fmt.Sprintf("pid %d", first.Process.Pid)) {
		t.Errorf("the second apply: %v\n%s", err, out)
	}
	if out, err := tafc(dir, "status", "a.taf.hcl").CombinedOutput(); err != nil || !strings.Contains(string(out), "running") {
		t.Errorf("status while it runs: %v\n%s", err, out)
	}
	if out, err := tafc(dir, "cancel", "a.taf.hcl").CombinedOutput(); err != nil || !strings.Contains(string(out), "Stopped tafc apply") {
		t.Errorf("cancel: %v\n%s", err, out)
	}
	if err := first.Wait(); code(err) != exitInterrupted {
		t.Errorf("the cancelled apply: %v", err)
	}
}

func waitRunning(t *testing.T, dir string) {
	t.Helper()
	ctx := context.Background()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, "state.db")); err != nil {
			continue
		}
		db, err := state.Open(ctx, dir)
		if err != nil {
			continue
		}
		running, err := db.RunningAttempts(ctx)
		db.Close()
		if err == nil && len(running) > 0 {
			return
		}
	}
	t.Fatal("no attempt was started within 30 s")
}

// tafc is this program as a process of its own: the test binary under the name that TestMain knows.
func tafc(dir string, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Args[0] = "tafc"
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TAFC_TEST_MAIN=1")
	return cmd
}

func code(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
