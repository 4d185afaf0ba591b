package state_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tafc/tafc/state"
)

func TestCache(t *testing.T) {
	dir := t.TempDir()
	db, err := state.Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	one, two := db.Cache("1"), db.Cache("2")
	if one.Load("k") != nil {
		t.Error("something is remembered that was not stored")
	}
	one.Store("k", []byte("old"))
	one.Store("k", []byte("new"))
	if got := one.Load("k"); string(got) != "new" {
		t.Errorf("remembered %q", got)
	}
	if two.Load("k") != nil || one.Load("l") != nil {
		t.Error("another version, or another key, finds it")
	}
	for i := range 100 {
		one.Store(fmt.Sprint(i), bytes.Repeat([]byte("x"), 1000))
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "cache", "*")); len(left) > 32 {
		t.Errorf("%d files are kept", len(left))
	}
	if one.Load("99") == nil {
		t.Error("the newest is forgotten")
	}
	if _, err := db.GC(context.Background(), state.Keep{}); err != nil || one.Load("99") != nil {
		t.Errorf("gc left it, %v", err)
	}
	// Where nothing can be written, nothing is remembered and nothing fails.
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "cache")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cache"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	one.Store("k", []byte("new"))
	if one.Load("k") != nil {
		t.Error("remembered in a file")
	}
}
