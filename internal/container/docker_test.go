package container_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/tafc/tafc/internal/container"
	"github.com/tafc/tafc/internal/dockertest"
)

// scratch is a build of an image of one small file.
func scratch(t *testing.T, name, text string) container.Build {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{"Dockerfile": "FROM scratch AS first\nARG TEXT=none\nLABEL text=$TEXT\nCOPY file /\nFROM scratch\nCOPY file /last\n", "file": text} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return container.Build{Name: name, Context: dir, File: filepath.Join(dir, "Dockerfile"), Target: "first", Args: map[string]string{"TEXT": text}}
}

func TestBuildPushAndPull(t *testing.T) {
	tool := dockertest.Tool(t)
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	name := strings.TrimPrefix(server.URL, "http://") + "/team/thing:1"
	defer removeImage(t, tool, name)
	var shown bytes.Buffer
	first, err := tool.Build(t.Context(), scratch(t, name, "a"), &shown)
	if err != nil {
		t.Fatalf("%v\n%s", err, &shown)
	}
	if first.Labels["text"] != "a" || first.Arch != tool.Arch() || shown.Len() == 0 {
		t.Errorf("built %+v on %s, and showed %q", first, tool.Arch(), &shown)
	}
	again, err := tool.Build(t.Context(), scratch(t, name, "a"), io.Discard)
	if err != nil || again.ID != first.ID {
		t.Errorf("built again: %+v, %v; want the same ID %s", again, err, first.ID)
	}
	digest, err := tool.Push(t.Context(), name, io.Discard)
	if err != nil || !strings.HasPrefix(digest, container.Repository(name)+"@sha256:") {
		t.Fatalf("pushed as %q, %v", digest, err)
	}
	removeImage(t, tool, name)
	if _, err := tool.Image(t.Context(), first.ID); !errors.Is(err, container.ErrNoImage) {
		t.Fatalf("the removed image: %v", err)
	}
	if err := tool.Pull(t.Context(), digest, io.Discard); err != nil {
		t.Fatal(err)
	}
	back, err := tool.Image(t.Context(), digest)
	if err != nil || back.ID != first.ID {
		t.Errorf("fetched %+v, %v; want %s", back, err, first.ID)
	}
	removeImage(t, tool, digest)
}

func TestBuildThatFails(t *testing.T) {
	tool := dockertest.Tool(t)
	b := scratch(t, "tafc-test/broken", "a")
	b.Target = "no-such-stage"
	_, err := tool.Build(t.Context(), b, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "no-such-stage") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v, want one line with what the daemon says", err)
	}
}

func removeImage(t *testing.T, tool *container.Tool, ref string) {
	t.Helper()
	if out, err := tool.Command(context.WithoutCancel(t.Context()), "image", "rm", "--force", ref).CombinedOutput(); err != nil && !strings.Contains(string(out), "No such image") {
		t.Errorf("remove %s: %v\n%s", ref, err, out)
	}
}
