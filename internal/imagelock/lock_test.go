package imagelock_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/internal/imagelock"
)

var digest = "sha256:" + strings.Repeat("a1", 32)

func TestWriteThenDecode(t *testing.T) {
	path := imagelock.Path(filepath.Join(t.TempDir(), "os-count.taf.hcl"))
	want := &imagelock.File{Images: map[string]imagelock.Image{
		"python": {Name: "localhost:5000/taf-python:3", ID: digest, Digest: "localhost:5000/taf-python@" + digest},
		"node":   {Name: "taf-node", ID: digest},
	}}
	if err := imagelock.Write(path, want); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := imagelock.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := imagelock.Write(path, got); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(path); err != nil || string(again) != string(text) {
		t.Errorf("written again: %v\n%s", err, again)
	}
}

func TestPath(t *testing.T) {
	for analysis, want := range map[string]string{
		"os-count.taf.hcl": "os-count.taf.lock", "dir/os-count.taf.json": "dir/os-count.taf.lock", "other": "other.lock",
	} {
		if got := imagelock.Path(analysis); got != want {
			t.Errorf("Path(%q) = %q, want %q", analysis, got, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"merge conflict":  {"<<<<<<< HEAD\n{}", "not JSON"},
		"later version":   {`{"format_version": "2", "images": {}}`, `format version "2"`},
		"unknown field":   {`{"format_version": "1", "imags": {}}`, "imags"},
		"two documents":   {`{"format_version": "1", "images": {}} {}`, "follows its end"},
		"no name":         {`{"format_version": "1", "images": {"x": {"id": "` + digest + `"}}}`, `image "x" has no name`},
		"short id":        {`{"format_version": "1", "images": {"x": {"name": "n", "id": "sha256:12"}}}`, "no sha256:… digest"},
		"digest alone":    {`{"format_version": "1", "images": {"x": {"name": "n", "id": "` + digest + `", "digest": "` + digest + `"}}}`, "no NAME@sha256"},
		"nothing at all ": {"", "not JSON"},
	} {
		if _, err := imagelock.Decode([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
}

// FuzzDecode wants of what is read that it is written and read as the same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"format_version": "1", "images": {"x": {"name": "n", "id": "` + digest + `"}}}`))
	f.Add([]byte(`{"format_version": "1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := imagelock.Decode(text)
		if err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "x.taf.lock")
		if err := imagelock.Write(path, got); err != nil {
			t.Fatal(err)
		}
		written, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		again, err := imagelock.Decode(written)
		if diff := cmp.Diff(got, again); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}
