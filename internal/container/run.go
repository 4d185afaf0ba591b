package container

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Run says what a container is and does. It is kept after its end until Remove.
type Run struct {
	Name     string
	Image    string
	Labels   map[string]string
	Program  string   // path, in the container
	Args     []string // of the program
	Dir      string   // working directory
	Env      []string // NAME=VALUE. They can be read by all who may use the tool, so secrets have no place here
	Mounts   []Mount
	Network  Network
	Memory   int64 // bytes; 0: no limit
	CPUs     int   // 0: no limit
	Terminal bool  // the caller's terminal is that of the program
}

// Mount shows a folder or a file of this computer in the container, under the same path.
type Mount struct {
	Path     string
	From     string // what is shown there; empty: Path
	Writable bool
}

// Network is what a container reaches.
type Network string

// The networks.
const (
	NoNetwork     Network = "none"
	OwnNetwork    Network = ""     // what the tool gives containers
	SharedNetwork Network = "host" // that of this computer, with its loopback addresses
)

// RunArgs are the arguments by which the tool runs a container in the foreground: its standard input, output and error are those of the
// program, which gets the signals that the tool gets, and the end of its input when the tool is gone.
//
// The program is the user of this process and owns what it writes. It can write only where Mounts say so and into /tmp, has no
// capabilities and gains none; root keeps the right to read and write files of others, as it has it outside.
func (t *Tool) RunArgs(r Run) []string { return t.runArgs(r, os.Getuid(), os.Getgid()) }

func (t *Tool) runArgs(r Run, uid, gid int) []string {
	args := []string{
		"run", "--name", r.Name, "--interactive", "--read-only", "--tmpfs", "/tmp:rw,exec,mode=1777", "--log-driver", "none", "--pull", "never",
		"--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--entrypoint", r.Program, "--workdir", r.Dir,
	}
	if r.Terminal {
		args = append(args, "--tty")
	}
	if r.Network != OwnNetwork {
		args = append(args, "--network", string(r.Network))
	}
	args = append(args, t.userArgs(uid, gid)...)
	args = append(args, t.limitArgs(r)...)
	for _, name := range slices.Sorted(maps.Keys(r.Labels)) {
		args = append(args, "--label", name+"="+r.Labels[name])
	}
	for _, v := range r.Env {
		args = append(args, "--env", v)
	}
	for _, m := range r.Mounts {
		args = append(args, "--mount", m.String())
	}
	return append(append(args, r.Image), r.Args...)
}

// userArgs make the program the user of this process, whoever that is to the tool.
func (t *Tool) userArgs(uid, gid int) []string {
	var args []string
	switch {
	case t.host.Rootless && t.host.podman:
		args = append(args, "--userns", "keep-id")
	case t.host.Rootless:
		uid, gid = 0, 0 // which is this user
	case t.host.Userns:
		args = append(args, "--userns", "host")
	}
	if uid == 0 {
		args = append(args, "--cap-add", "DAC_OVERRIDE")
	}
	if t.host.SELinux {
		args = append(args, "--security-opt", "label=disable")
	}
	return append(args, "--user", fmt.Sprintf("%d:%d", uid, gid))
}

// limitArgs are limits as far as they can be had here.
func (t *Tool) limitArgs(r Run) []string {
	var args []string
	if r.Memory > 0 && !t.host.NoMemory {
		args = append(args, "--memory", strconv.FormatInt(r.Memory, 10))
		if !t.host.NoSwap {
			args = append(args, "--memory-swap", strconv.FormatInt(r.Memory, 10))
		}
	}
	if r.CPUs > 0 && !t.host.NoQuota {
		args = append(args, "--cpus", strconv.Itoa(min(r.CPUs, max(t.host.CPUs, 1))))
	}
	return args
}

// String is the value of --mount: fields between commas, quoted like CSV.
func (m Mount) String() string {
	from := m.From
	if from == "" {
		from = m.Path
	}
	fields := []string{"type=bind", "source=" + from, "target=" + m.Path}
	if !m.Writable {
		fields = append(fields, "readonly")
	}
	var text strings.Builder
	w := csv.NewWriter(&text)
	_ = w.Write(fields) // a Builder takes everything
	w.Flush()
	return strings.TrimSuffix(text.String(), "\n")
}

// State is how a container stands, or ended.
type State struct {
	Status    string // created, running, exited
	ExitCode  int
	OOMKilled bool   // something in it was killed because it reached its limit of memory
	Error     string // why it could not be started
}

// State looks at a container.
func (t *Tool) State(ctx context.Context, name string) (State, error) {
	out, err := t.output(ctx, "container", "inspect", "--format", "{{json .State}}", name)
	if err != nil {
		return State{}, err
	}
	var s State
	if err := json.Unmarshal(out, &s); err != nil {
		return State{}, fmt.Errorf("%s says of the container %s what makes no sense: %w", t.Name, name, err)
	}
	return s, nil
}

// Remove ends and removes containers.
func (t *Tool) Remove(ctx context.Context, names ...string) error {
	if len(names) == 0 {
		return nil
	}
	_, err := t.output(ctx, append([]string{"rm", "--force", "--volumes"}, names...)...)
	return err
}

// Exited is the Status of containers that have ended.
const Exited = "exited"

// Labelled are the containers that have a label with this value and a status; empty: any.
func (t *Tool) Labelled(ctx context.Context, label, value, status string) ([]string, error) {
	args := []string{"ps", "--all", "--quiet", "--no-trunc", "--filter", "label=" + label + "=" + value}
	if status != "" {
		args = append(args, "--filter", "status="+status)
	}
	out, err := t.output(ctx, args...)
	return strings.Fields(string(out)), err
}

// Arch is the architecture of the computer that containers run on, as images and Go call it.
func (t *Tool) Arch() string { return t.host.Arch }
