package taskcluster

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tafc/tafc/internal/lazy"
	"github.com/tafc/tafc/taskcluster/slugid"
)

// image is the container image of tasks: a reference of a registry, an artifact of a task, or one that the index finds.
type image struct {
	Name      string // of a registry
	TaskID    string
	Namespace string
	Path      string // of the artifact, with TaskID and Namespace
}

var (
	// imagePattern is what a container engine takes: HOST:PORT/NAME:TAG@sha256:HEX.
	imagePattern     = lazy.Regexp(`^[a-zA-Z0-9][a-zA-Z0-9._:/-]*(@sha256:[0-9a-f]{64})?$`)
	namespacePattern = lazy.Regexp(`^([a-zA-Z0-9_!~*'()%-]+\.)*[a-zA-Z0-9_!~*'()%-]+$`)
)

// parseImage reads the name of an image: task:ID/PATH is an artifact of a task, index:NAMESPACE/PATH one that the index finds when a task
// runs, and everything else a reference of a registry. The image is never nil.
func parseImage(name string) (*image, error) {
	if rest, ok := strings.CutPrefix(name, "task:"); ok {
		id, path, _ := strings.Cut(rest, "/")
		if !slugid.Valid(id) || path == "" {
			return &image{}, fmt.Errorf("the image %q is to be an artifact of a task. Write task:TASKID/PATH, such as task:%s/public/image.tar.zst", name, slugid.Derive("an image"))
		}
		return &image{TaskID: id, Path: path}, nil
	}
	if rest, ok := strings.CutPrefix(name, "index:"); ok {
		namespace, path, _ := strings.Cut(rest, "/")
		if !namespacePattern().MatchString(namespace) || path == "" {
			return &image{}, fmt.Errorf("the image %q is to be found by the index. Write index:NAMESPACE/PATH, such as index:project.taf.images.python/public/image.tar.zst", name)
		}
		return &image{Namespace: namespace, Path: path}, nil
	}
	switch {
	case name == "":
		return &image{}, errors.New("the stage has no image; add a block image { name = \"REFERENCE\" }, or set TAF_IMAGE")
	case replaced(name) != "" || !imagePattern().MatchString(name):
		return &image{}, fmt.Errorf("%q is no reference of an image. Write NAME:TAG or, best, NAME@sha256:…", name)
	}
	return &image{Name: name}, nil
}

// floating tells whether the name may mean another image tomorrow.
func (i *image) floating() bool { return i.Name != "" && !strings.Contains(i.Name, "@sha256:") }

// payload is the image as a docker-style payload names it.
func (i *image) payload() any {
	type artifact struct {
		Type      string `json:"type"`
		TaskID    string `json:"taskId,omitempty"`
		Namespace string `json:"namespace,omitempty"`
		Path      string `json:"path"`
	}
	switch {
	case i.TaskID != "":
		return artifact{Type: "task-image", TaskID: i.TaskID, Path: i.Path}
	case i.Namespace != "":
		return artifact{Type: "indexed-image", Namespace: i.Namespace, Path: i.Path}
	}
	return i.Name
}

// replaced is a text that workers replace by something else wherever it stands in what they run; empty when there is none.
func replaced(s string) string {
	for _, literal := range []string{
		"__TASK_DIR__", "__D2G_IMAGE_ID__", "__TASKCLUSTER_VIDEO_DEVICE__", "__TASKCLUSTER_DOCKER_NETWORK__", "__TASKCLUSTER_PROXY_GATEWAY__",
	} {
		if strings.Contains(s, literal) {
			return literal
		}
	}
	return ""
}
