package container

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Image is an image that is on this computer.
type Image struct {
	ID      string            // sha256:… of its configuration
	Digests []string          // REPOSITORY@sha256:… by which registries give it out
	Arch    string            // amd64, arm64
	Labels  map[string]string // never nil
}

// ErrNoImage says that an image is not on this computer.
var ErrNoImage = errors.New("there is no such image on this computer")

// Image looks for an image by its name or ID. The error is ErrNoImage when it is not there.
func (t *Tool) Image(ctx context.Context, ref string) (*Image, error) {
	out, err := t.output(ctx, "image", "inspect", "--format", "{{json .}}", ref)
	var failed *Error
	if errors.As(err, &failed) {
		said := strings.ToLower(failed.Said)
		for _, words := range []string{"no such image", "image not known", "no such object"} {
			if strings.Contains(said, words) {
				return nil, ErrNoImage
			}
		}
	}
	if err != nil {
		return nil, err
	}
	var x struct {
		ID           string `json:"Id"`
		RepoDigests  []string
		Architecture string
		Config       struct{ Labels map[string]string }
	}
	out = bytes.TrimSpace(out)
	if bytes.HasPrefix(out, []byte("[")) { // Podman 4 prints a list of one
		out = bytes.TrimSuffix(bytes.TrimPrefix(out, []byte("[")), []byte("]"))
	}
	if err := json.Unmarshal(out, &x); err != nil {
		return nil, fmt.Errorf("%s says of the image %s what makes no sense: %w", t.Name, ref, err)
	}
	img := &Image{ID: x.ID, Digests: x.RepoDigests, Arch: x.Architecture, Labels: x.Config.Labels}
	if !strings.HasPrefix(img.ID, "sha256:") {
		img.ID = "sha256:" + img.ID // Podman leaves it out
	}
	if img.Labels == nil {
		img.Labels = map[string]string{}
	}
	return img, nil
}

// Build says what an image is made from.
type Build struct {
	Name    string // what it is called
	Context string // folder
	File    string // path of the file with the steps
	Args    map[string]string
	Target  string // stage to stop at; empty: the last
	NoCache bool
}

// Build makes an image and shows how that goes.
func (t *Tool) Build(ctx context.Context, b Build, show io.Writer) (*Image, error) {
	dir, err := os.MkdirTemp("", "tafc-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	made := filepath.Join(dir, "id")
	args := []string{"build", "--force-rm", "--tag", b.Name, "--file", b.File, "--iidfile", made}
	for _, name := range slices.Sorted(maps.Keys(b.Args)) {
		args = append(args, "--build-arg", name+"="+b.Args[name])
	}
	if b.Target != "" {
		args = append(args, "--target", b.Target)
	}
	if b.NoCache {
		args = append(args, "--no-cache")
	}
	if err := t.show(ctx, show, append(args, b.Context)...); err != nil {
		return nil, err
	}
	id, err := os.ReadFile(made)
	if err != nil {
		return nil, fmt.Errorf("%s build did not say what it made: %w", t.Name, err)
	}
	return t.Image(ctx, strings.TrimSpace(string(id)))
}

// Push sends an image to the registry that its name says, and returns the REPOSITORY@sha256:… by which that gives it out.
func (t *Tool) Push(ctx context.Context, name string, show io.Writer) (string, error) {
	if err := t.show(ctx, show, "push", name); err != nil {
		return "", err
	}
	img, err := t.Image(ctx, name)
	if err != nil {
		return "", err
	}
	repository := Repository(name)
	for _, d := range img.Digests {
		of, _, _ := strings.Cut(d, "@")
		if of == repository || strings.HasSuffix(of, "/"+repository) {
			return d, nil
		}
	}
	return "", fmt.Errorf("%s pushed %s, but does not say by which digest its registry gives it out", t.Name, name)
}

// Pull fetches an image.
func (t *Tool) Pull(ctx context.Context, ref string, show io.Writer) error {
	return t.show(ctx, show, "pull", ref)
}

// Repository is the name of an image without its tag and its digest.
func Repository(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		return ref[:i]
	}
	return ref
}
