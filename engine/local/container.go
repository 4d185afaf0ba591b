package local

import (
	"cmp"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/internal/container"
	"github.com/tafc/tafc/runtime/job"
)

// How containers are used.
const (
	ContainerAuto = "auto" // where the tool and the image are there
	ContainerNone = "none" // never; docker and podman: always, with that tool
)

// ContainerModes are the values of Options.Container.
func ContainerModes() []string {
	return []string{ContainerAuto, container.Docker, container.Podman, ContainerNone}
}

// mapperLabel is the label of images that have a taf-mapper: the version of the Specs that it reads.
const mapperLabel = "org.tafc.mapper.spec"

// Labels of containers, with the folder of the state, by which left ones are found: those of an apply, which has the state for itself, and
// those of replays, which may go on beside one.
const (
	stateLabel  = "org.tafc.state"
	replayLabel = "org.tafc.replay"
)

// box is what tasks with one image run in.
type box struct {
	tool  *container.Tool
	ref   string // as the analysis names the image
	image string // ID
	// program and args run a task; mapper, when it is set, is the file of this computer that program is.
	program string
	args    []string
	mapper  string
	least   int64 // bytes of memory that its containers have at any rate
}

// boxed tells whether a task's code runs in an image. Without code of the user there is nothing to run in one.
func boxed(t *engine.Task) bool {
	return t.Image != nil && !t.Reused && (t.Spec.Code != nil || len(t.Spec.Command) > 0)
}

// openBoxes finds what the tasks of the run that have an image run in, and removes containers that a killed run has left.
func (r *runner) openBoxes() error {
	r.boxes = map[engine.Image]*box{}
	mode := r.o.Container
	if mode == ContainerNone {
		return nil
	}
	var images []*engine.Image
	seen := map[engine.Image]bool{}
	for _, t := range r.run.Tasks {
		if boxed(t) && !seen[*t.Image] {
			seen[*t.Image] = true
			images = append(images, t.Image)
		}
	}
	if len(images) == 0 {
		return nil
	}
	name := mode
	if mode == ContainerAuto {
		name = ""
	}
	tool, err := container.Open(r.durable, name)
	switch {
	case err != nil && mode == ContainerAuto:
		r.o.Warn(fmt.Sprintf("Images are not used, code runs with the programs of this computer: %v. -container none says nothing.", err))
		return nil
	case err != nil:
		return fmt.Errorf("%w. Start it, or run tasks without images: -container none", err)
	}
	if err := r.removeLeft(tool); err != nil {
		return err
	}
	for _, img := range images {
		b, err := r.openBox(tool, img)
		switch {
		case err != nil && mode == ContainerAuto:
			r.o.Warn(fmt.Sprintf("The image %s is not used, its code runs with the programs of this computer: %v.", img.Ref, err))
		case err != nil:
			return fmt.Errorf("image %s: %w, or run tasks without images: -container none", img.Ref, err)
		default:
			r.boxes[*img] = b
		}
	}
	return nil
}

// removeLeft removes the containers of a run that was killed. Under the lock, whatever carries the label of the state is left. Of replays only
// what has ended is.
func (r *runner) removeLeft(tool *container.Tool) error {
	left, err := tool.Labelled(r.durable, stateLabel, r.db.Dir(), "")
	if err == nil {
		var ended []string
		ended, err = tool.Labelled(r.durable, replayLabel, r.db.Dir(), container.Exited)
		left = append(left, ended...)
	}
	if err == nil {
		err = tool.Remove(r.durable, left...)
	}
	if err != nil {
		return fmt.Errorf("remove containers of a killed run: %w", err)
	}
	return nil
}

// openBox finds an image, and fetches one that is not there when containers are demanded.
func (r *runner) openBox(tool *container.Tool, img *engine.Image) (*box, error) {
	refs := []string{img.Ref}
	if img.ID != "" {
		refs = []string{img.ID} // what has this name by now may be another
		if img.Digest != "" {
			refs = append(refs, img.Digest)
		}
	}
	for _, ref := range refs {
		found, err := tool.Image(r.durable, ref)
		if err == nil {
			return newBox(tool, img.Ref, found, r.o)
		}
		if !errors.Is(err, container.ErrNoImage) {
			return nil, err
		}
	}
	last := refs[len(refs)-1]
	switch {
	case img.ID != "" && img.Digest == "":
		return nil, fmt.Errorf("what the lock file says was built (%.19s…) is not on this computer; build it with tafc image build", img.ID)
	case r.o.Container == ContainerAuto:
		return nil, fmt.Errorf("it is not on this computer; build it with tafc image build, or fetch it with %s pull %s", tool.Name, last)
	}
	r.o.Warn(fmt.Sprintf("The image %s is not on this computer: %s pull %s", img.Ref, tool.Name, last))
	if err := tool.Pull(r.durable, last, io.Discard); err != nil {
		return nil, fmt.Errorf("it is not on this computer and cannot be fetched (%w). Look at its name, build it with tafc image build", err)
	}
	found, err := tool.Image(r.durable, last)
	if err != nil {
		return nil, err
	}
	return newBox(tool, img.Ref, found, r.o)
}

// newBox finds the task program: that of the image when it has one for these Specs, else a static one of this computer.
func newBox(tool *container.Tool, ref string, img *container.Image, o Options) (*box, error) {
	b := &box{tool: tool, ref: ref, image: img.ID, program: "taf-mapper", least: cmp.Or(o.least, leastMemory)}
	if img.Labels[mapperLabel] == strconv.Itoa(job.Version) {
		return b, nil
	}
	b.program = "/taf-mapper"
	beside := filepath.Dir(o.Executable)
	for _, path := range []string{o.Mapper, filepath.Join(beside, "taf-mapper-linux-"+img.Arch), filepath.Join(beside, "taf-mapper")} {
		if path != "" && static(path, img.Arch) {
			b.mapper = path
			return b, nil
		}
	}
	if static(o.Executable, img.Arch) {
		b.mapper, b.args = o.Executable, o.TaskArgs
		return b, nil
	}
	return nil, fmt.Errorf("it has no taf-mapper, and %s has none for linux/%s that runs in every image; build the image from taf-base, or put what scripts/build-mapper makes beside tafc", beside, img.Arch)
}

// static tells whether a file is a program for Linux on this kind of processor that needs no libraries.
func static(path, arch string) bool {
	f, err := elf.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	machine := map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}[f.Machine]
	if machine == "" {
		machine = runtime.GOARCH
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return false
		}
	}
	return machine == arch
}

// leastMemory is what every container may have, in bytes.
const leastMemory = 512 << 20

// memory is the limit of a task's container, in bytes: what the task program may have, and as much again for the code.
func memory(limits job.Limits, least int64) int64 { return max(2*limits.Memory, least) }

// box is what a task runs in; nil: a process.
func (r *runner) box(t *engine.Task) *box {
	if !boxed(t) {
		return nil
	}
	return r.boxes[*t.Image]
}

// endTime is how long a daemon may take to say how a container ended, and to remove it.
const endTime = 30 * time.Second

// ended looks at how a container ended. It is to be removed then, whatever state it is in.
func (c *contained) ended(ctx context.Context, dir string, x *exit) {
	ctx, cancel := context.WithTimeout(ctx, endTime)
	defer cancel()
	const noStart, killed = 125, 128 + 9 // the tool's own failure; SIGKILL
	x.oom, x.limit = false, c.limit
	if x.code != 0 {
		s, err := c.box.tool.State(ctx, c.name)
		switch {
		case err == nil && s.OOMKilled:
			x.oom = true
		case err != nil && x.code == noStart, err == nil && (s.Status == "created" || s.Error != ""):
			x.refused = cmp.Or(container.Reason(logTail(dir)), s.Error, x.text)
		}
		x.killed = x.killed || x.code == killed && !x.timeout && !x.interrupted
	}
}

// remove removes the container. When that fails, the next apply tries again.
func (c *contained) remove(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, endTime)
	defer cancel()
	_ = c.box.tool.Remove(ctx, c.name)
}
