package container

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestImageOfPodman reads what Podman 4 prints: a list of one, with an ID that has no algorithm.
func TestImageOfPodman(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the tool of the test is a shell script")
	}
	path := filepath.Join(t.TempDir(), "podman")
	said := `[ {"Id": "8fc9", "RepoDigests": ["localhost/x@sha256:1"], "Architecture": "amd64", "Config": {"Labels": {"a": "b"}}} ]`
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+said+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	img, err := (&Tool{Name: Podman, path: path}).Image(t.Context(), "x")
	if err != nil || img.ID != "sha256:8fc9" || img.Arch != "amd64" || img.Labels["a"] != "b" || len(img.Digests) != 1 {
		t.Errorf("%+v, %v", img, err)
	}
}
