package state_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

func open(t *testing.T, dir string) *state.DB {
	t.Helper()
	db, err := state.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func task(name string) addr.Task {
	return addr.Task{Stage: addr.Stage{Kind: "map", Name: "m"}, Name: name}
}

// finish is a task that left one part with this text.
func finish(t *testing.T, analysis, name, text string) state.Finish {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "part"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	key := digest(analysis + name + text)
	return state.Finish{
		Dir: dir,
		Result: state.Result{
			Key: key, ContentKey: digest("content" + text), Task: task(name), Analysis: analysis, RunID: "run1", Created: time.Unix(5, 0).UTC(),
			Report: job.Report{
				Version: job.Version, Key: key, Cause: job.CauseDone, Form: job.FormPairs,
				Parts: []job.Part{{Path: "part", Digest: digest(text), Size: int64(len(text)), Pairs: 3}},
			},
		},
		Record: state.TaskRecord{
			Address: task(name), Key: key, StageDigest: digest("stage"), InputsDigest: digest("in" + text), State: "done",
			Cause: job.CauseDone, Attempts: 1, RunID: "run1", Finished: time.Unix(6, 0).UTC(),
		},
		Inputs: []byte("in" + text),
	}
}

func put(t *testing.T, db *state.DB, f state.Finish) state.Result {
	t.Helper()
	r, err := db.PutResult(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sub", ".taf")
	db := open(t, dir)
	f := finish(t, "one", "a", "text")
	stored := put(t, db, f)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir)
	got, err := db.Result(t.Context(), f.Result.Key)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(stored, got); diff != "" {
		t.Errorf("result (-stored +read):\n%s", diff)
	}
	if text, err := os.ReadFile(got.Report.Parts[0].Path); err != nil || string(text) != "text" {
		t.Errorf("part %q, %v", text, err)
	}
	prior, err := db.Prior(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[addr.Task]state.Memory{task("a"): {Good: &f.Record}}, prior); diff != "" {
		t.Errorf("memory (-want +got):\n%s", diff)
	}
	if in, err := db.Inputs(t.Context(), f.Record.InputsDigest); err != nil || string(in) != "intext" {
		t.Errorf("inputs %q, %v", in, err)
	}
	if ignore, err := os.ReadFile(filepath.Join(dir, ".gitignore")); err != nil || string(ignore) != "*\n" {
		t.Errorf(".gitignore %q, %v", ignore, err)
	}
}

func TestFailureKeepsTheLastGood(t *testing.T) {
	db := open(t, t.TempDir())
	f := finish(t, "one", "a", "text")
	put(t, db, f)
	before, err := db.Serial(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	failure := f.Record
	failure.Key, failure.State, failure.Cause, failure.Message = digest("new"), "failed", job.CauseCode, "KeyError"
	if err := db.PutFailure(t.Context(), "one", failure, nil); err != nil {
		t.Fatal(err)
	}
	prior, err := db.Prior(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[addr.Task]state.Memory{task("a"): {Good: &f.Record, Failed: &failure}}, prior); diff != "" {
		t.Error(diff)
	}
	if after, _ := db.Serial(t.Context(), "one"); after == before {
		t.Error("the serial did not change")
	}
	put(t, db, finish(t, "one", "a", "newer"))
	prior, err = db.Prior(t.Context(), "one")
	if err != nil || prior[task("a")].Failed != nil {
		t.Errorf("after a success: %+v, %v", prior, err)
	}
}

func TestAnalysesDoNotDisturbEachOther(t *testing.T) {
	db := open(t, t.TempDir())
	put(t, db, finish(t, "one", "a", "1"))
	put(t, db, finish(t, "two", "a", "2"))
	if err := db.Forget(t.Context(), "one", []addr.Task{task("a")}); err != nil {
		t.Fatal(err)
	}
	for analysis, want := range map[string]int{"one": 0, "two": 1} {
		prior, err := db.Prior(t.Context(), analysis)
		if err != nil || len(prior) != want {
			t.Errorf("%s remembers %d tasks, %v; want %d", analysis, len(prior), err, want)
		}
	}
}

func TestDamagedResults(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"missing":   os.Remove,
		"truncated": func(path string) error { return errors.Join(os.Chmod(path, 0o644), os.Truncate(path, 1)) },
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, t.TempDir())
			f := finish(t, "one", "a", "text")
			stored := put(t, db, f)
			if err := damage(stored.Report.Parts[0].Path); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Result(t.Context(), f.Result.Key); !errors.Is(err, state.ErrResultMissing) {
				t.Errorf("error %v, want that the result is missing", err)
			}
			found, lost, err := db.HasResults(t.Context(), []string{f.Result.Key, digest("other")})
			if err != nil || len(found) != 0 || !cmp.Equal(lost, []string{f.Result.Key}) {
				t.Errorf("found %v, lost %v, %v", found, lost, err)
			}
			if _, ok, err := db.ResultByContent(t.Context(), f.Result.ContentKey); ok || err != nil {
				t.Errorf("found by content: %v, %v", ok, err)
			}
			put(t, db, finish(t, "one", "a", "text"))
			if _, err := db.Result(t.Context(), f.Result.Key); err != nil {
				t.Errorf("after it was made again: %v", err)
			}
		})
	}
}

func TestPutResultRefusesWrongFiles(t *testing.T) {
	for name, spoil := range map[string]func(*job.Part){
		"digest":  func(p *job.Part) { p.Digest = digest("other") },
		"size":    func(p *job.Part) { p.Size++ },
		"name":    func(p *job.Part) { p.Path = "nothing" },
		"outside": func(p *job.Part) { p.Path = "../part" },
		"form":    func(p *job.Part) { p.Digest = "../../x" },
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, t.TempDir())
			f := finish(t, "one", "a", "text")
			spoil(&f.Result.Report.Parts[0])
			var bad *state.BadFileError
			if _, err := db.PutResult(t.Context(), f); !errors.As(err, &bad) {
				t.Errorf("error %v, want a *BadFileError", err)
			}
			if _, err := db.Result(t.Context(), f.Result.Key); !errors.Is(err, state.ErrNoResult) {
				t.Errorf("error %v, want that there is no result", err)
			}
		})
	}
}

func TestTransient(t *testing.T) {
	db := open(t, t.TempDir())
	f := finish(t, "one", "a", "text")
	f.Result.Report.Transient = true
	put(t, db, f)
	found, _, err := db.HasResults(t.Context(), []string{f.Result.Key})
	if err != nil || !found[f.Result.Key].Transient {
		t.Errorf("found %+v, %v; want a transient one", found, err)
	}
	if _, ok, _ := db.ResultByContent(t.Context(), f.Result.ContentKey); ok {
		t.Error("a transient result is found by content")
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	db, second := open(t, dir), open(t, dir)
	if h, err := second.Holder(); h != nil || err != nil {
		t.Errorf("holder %+v, %v; want none", h, err)
	}
	lock, err := db.Lock("apply")
	if err != nil {
		t.Fatal(err)
	}
	_, err = second.Lock("apply")
	var held *state.HeldError
	if !errors.As(err, &held) || held.PID != os.Getpid() || held.Command != "apply" {
		t.Fatalf("error %v, want a *HeldError with this process", err)
	}
	for _, part := range []string{"another tafc apply (pid ", "since ", " is using " + dir, "wait for it", "tafc cancel"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("message %q lacks %q", err, part)
		}
	}
	if _, err := second.GC(t.Context(), state.Keep{}); !errors.As(err, &held) {
		t.Errorf("gc while locked: %v", err)
	}
	if h, err := second.Holder(); h == nil || err != nil || h.PID != os.Getpid() {
		t.Errorf("holder %+v, %v", h, err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	again, err := second.Lock("apply")
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestReadersDuringAWrite(t *testing.T) {
	dir := t.TempDir()
	writer := open(t, dir)
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		reader, err := state.Open(ctx, dir)
		for n := 0; err == nil && ctx.Err() == nil; n++ {
			_, err = reader.Prior(ctx, "one")
		}
		if ctx.Err() != nil {
			err = nil
		}
		done <- errors.Join(err, reader.Close())
	}()
	for i := range 100 {
		put(t, writer, finish(t, "one", fmt.Sprint(i), fmt.Sprint("text", i)))
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	setup := func(t *testing.T, script string) string {
		dir := t.TempDir()
		conn, err := sqlite.OpenConn(filepath.Join(dir, "state.db"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(sqlitex.ExecuteScript(conn, script, nil), conn.Close()); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	newer := t.TempDir()
	db := open(t, newer)
	_ = db.Close()
	conn, err := sqlite.OpenConn(filepath.Join(newer, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(sqlitex.ExecuteTransient(conn, "PRAGMA user_version = 99", nil), conn.Close()); err != nil {
		t.Fatal(err)
	}
	garbage := t.TempDir()
	if err := os.WriteFile(filepath.Join(garbage, "state.db"), []byte(strings.Repeat("not a database ", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dir, want string }{
		{newer, "written by a newer tafc (schema 99"},
		{garbage, "damaged or not a database"},
		{setup(t, "CREATE TABLE other (x)"), "not a state of tafc"},
	} {
		_, err := state.Open(t.Context(), c.dir)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

func TestBundle(t *testing.T) {
	db := open(t, t.TempDir())
	b := &bundle.Bundle{Files: []bundle.File{
		{Path: "m.py", Data: []byte("x = 1\n")}, {Path: "lib/run", Data: []byte("#!/bin/sh\n"), Executable: true},
	}}
	dir := db.BundleDir(digest("b"))
	for _, spoil := range []func() error{
		func() error { return nil },
		func() error { return nil },
		func() error {
			return errors.Join(os.Chmod(filepath.Join(dir, "m.py"), 0o644), os.WriteFile(filepath.Join(dir, "m.py"), []byte("changed"), 0o644))
		},
		func() error { return errors.Join(os.Chmod(dir, 0o755), os.Remove(filepath.Join(dir, "m.py"))) },
	} {
		if err := errors.Join(spoil(), db.SaveBundle(digest("b"), b)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(filepath.Join(dir, "m.py")); err != nil || string(got) != "x = 1\n" {
		t.Errorf("file %q, %v", got, err)
	}
	for path, want := range map[string]os.FileMode{"m.py": 0o444, "lib/run": 0o555, "lib": 0o555} {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	bad := &bundle.Bundle{Files: []bundle.File{{Path: "../m.py"}}}
	if err := db.SaveBundle(digest("c"), bad); err == nil {
		t.Error("a file outside the bundle was written")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "new-*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestTaskDir(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"", "a", "A", "a/b", "a-b", "..", strings.Repeat("x", 300), strings.Repeat("x", 301), "ü", "con"} {
		dir := state.TaskDir(task(name))
		folded := strings.ToLower(dir)
		if other, taken := seen[folded]; taken {
			t.Errorf("%q and %q share %s", name, other, dir)
		}
		seen[folded] = name
		if len(dir) > 100 || strings.ContainsAny(dir, `/\:*?"<>| `) {
			t.Errorf("%q gives %q", name, dir)
		}
	}
}

func TestManyTasksAreQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	db := open(t, t.TempDir())
	var records []state.TaskRecord
	var keys []string
	f := finish(t, "one", "x", "shared")
	put(t, db, f)
	for i := range 10_000 {
		r := f.Record
		r.Address, r.Key = task(fmt.Sprintf("20140308/%d", i)), digest(fmt.Sprint(i))
		records = append(records, r)
		keys = append(keys, r.Key)
	}
	if err := db.Reused(t.Context(), "one", records, nil); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	prior, err := db.Prior(t.Context(), "one")
	took := time.Since(begin)
	if err != nil || len(prior) != 10_001 {
		t.Fatalf("%d tasks, %v", len(prior), err)
	}
	begin = time.Now()
	if _, _, err := db.HasResults(t.Context(), keys); err != nil {
		t.Fatal(err)
	}
	t.Logf("prior of 10,000 tasks: %s; 10,000 keys looked up: %s", took, time.Since(begin))
	if took > time.Second { // far from the usual, so that a busy machine does not fail
		t.Errorf("prior took %s", took)
	}
}
