package container

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// The programs, in the order in which they are tried.
const (
	Docker = "docker"
	Podman = "podman"
)

// Tools are the names of the programs.
func Tools() []string { return []string{Docker, Podman} }

// probeTime is how long a daemon may take to say that it is there.
const probeTime = 20 * time.Second

// Tool is a container program of this computer whose daemon, where it needs one, answers.
type Tool struct {
	Name string // docker, podman
	path string
	host host
}

// host is what a tool says of where containers run.
type host struct {
	Arch     string // as images say it: amd64, arm64
	CPUs     int
	Rootless bool // the root of containers is the user who starts them
	Userns   bool // the daemon maps users
	SELinux  bool
	NoMemory bool // containers cannot be given less memory
	NoSwap   bool // or swap
	NoQuota  bool // or processors
	podman   bool
}

// UnavailableError says why a tool cannot be used.
type UnavailableError struct {
	Tool   string
	Reason string
}

func (e *UnavailableError) Error() string { return e.Tool + " cannot be used: " + e.Reason }

// Open finds the tool of this name or, without a name, the first that works. The error is an *UnavailableError.
func Open(ctx context.Context, name string) (*Tool, error) {
	names := []string{name}
	if name == "" {
		names = Tools()
	}
	var bad []*UnavailableError
	for _, name := range names {
		t, err := open(ctx, name)
		if err == nil {
			return t, nil
		}
		bad = append(bad, err)
	}
	installed := slices.DeleteFunc(slices.Clone(bad), func(e *UnavailableError) bool { return e.Reason == notInstalled })
	switch {
	case len(installed) > 0:
		return nil, installed[0]
	case len(bad) > 1:
		return nil, &UnavailableError{"containers", "neither " + strings.Join(names, " nor ") + " is installed"}
	}
	return nil, bad[0]
}

const notInstalled = "it is not installed"

func open(ctx context.Context, name string) (*Tool, *UnavailableError) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, &UnavailableError{name, notInstalled}
	}
	t := &Tool{Name: name, path: path}
	ctx, cancel := context.WithTimeoutCause(ctx, probeTime, fmt.Errorf("its daemon does not answer within %s", probeTime))
	defer cancel()
	out, err := t.output(ctx, "info", "--format", "{{json .}}")
	if err != nil {
		return nil, &UnavailableError{name, reason(err)}
	}
	if t.host, err = decodeHost(out); err != nil {
		return nil, &UnavailableError{name, err.Error()}
	}
	return t, nil
}

// decodeHost reads what docker info or podman info says. A program called docker may well be Podman.
func decodeHost(text []byte) (host, error) {
	var info struct {
		// Docker.
		ServerVersion   string
		ServerErrors    []string
		OSType          string
		Architecture    string
		NCPU            int
		MemoryLimit     *bool
		SwapLimit       *bool
		CPUCfsQuota     *bool `json:"CpuCfsQuota"`
		SecurityOptions []string
		// Podman.
		Host *struct {
			Arch              string
			CPUs              int
			CgroupControllers []string
			Security          struct{ Rootless, SelinuxEnabled bool }
		} `json:"host"`
	}
	if err := json.Unmarshal(text, &info); err != nil {
		return host{}, fmt.Errorf("what it says of itself makes no sense: %w", err)
	}
	if h := info.Host; h != nil {
		has := func(controller string) bool { return slices.Contains(h.CgroupControllers, controller) }
		return host{
			Arch: goArch(h.Arch), CPUs: h.CPUs, Rootless: h.Security.Rootless, SELinux: h.Security.SelinuxEnabled, podman: true,
			NoMemory: !has("memory"), NoSwap: !has("memory"), NoQuota: !has("cpu"),
		}, nil
	}
	switch {
	case info.ServerVersion == "":
		return host{}, errors.New(strings.Join(append(info.ServerErrors, "its daemon does not answer"), "; "))
	case info.OSType != "linux":
		return host{}, fmt.Errorf("its containers are those of %s, and tasks need linux", info.OSType)
	}
	option := func(name string) bool {
		return slices.ContainsFunc(info.SecurityOptions, func(o string) bool { return strings.HasPrefix(o, "name="+name) })
	}
	no := func(b *bool) bool { return b != nil && !*b }
	return host{
		Arch: goArch(info.Architecture), CPUs: info.NCPU, Rootless: option("rootless"), Userns: option("userns"), SELinux: option("selinux"),
		NoMemory: no(info.MemoryLimit), NoSwap: no(info.SwapLimit), NoQuota: no(info.CPUCfsQuota),
	}, nil
}

// goArch is an architecture as images and Go call it.
func goArch(name string) string {
	switch name {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return name
}

// Command is a call of the tool. What it prints goes nowhere yet.
func (t *Tool) Command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, t.path, args...)
}

// output runs the tool and returns what it prints.
func (t *Tool) output(ctx context.Context, args ...string) ([]byte, error) {
	cmd := t.Command(ctx, args...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return nil, t.failed(ctx, args[0], said.String(), err)
	}
	return out.Bytes(), nil
}

// show runs the tool and shows what it prints.
func (t *Tool) show(ctx context.Context, to io.Writer, args ...string) error {
	cmd := t.Command(ctx, args...)
	var said tail
	both := &shared{w: to}
	cmd.Stdout, cmd.Stderr = both, io.MultiWriter(both, &said)
	if err := cmd.Run(); err != nil {
		return t.failed(ctx, args[0], string(said), err)
	}
	return nil
}

// shared lets standard output and standard error be written to one place, which they are from two goroutines.
type shared struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

// tail keeps the end of what is written to it.
type tail []byte

func (t *tail) Write(p []byte) (int, error) {
	const most = 8 << 10
	*t = append(*t, p...)
	if len(*t) > most {
		*t = (*t)[len(*t)-most:]
	}
	return len(p), nil
}

// Error is a call of a tool that failed.
type Error struct {
	Tool string
	Verb string // build, run, …
	Said string // what it printed about that, without what comes before
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%s %s: %s", e.Tool, e.Verb, reason(e)) }

func (e *Error) Unwrap() error { return e.Err }

func (t *Tool) failed(ctx context.Context, verb, said string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err, said = cause, ""
	}
	return &Error{t.Name, verb, said, err}
}

// Reason is what a tool printed last about why it failed; empty when it printed nothing.
func Reason(said string) string {
	return reason(&Error{Said: said, Err: errors.New("")})
}

// chatter are the beginnings of lines that say nothing about what went wrong.
var chatter = []string{"See '", "Run '", "Usage:", "errors pretty printing"}

// reason is why a call failed: the last line that the tool printed, without its own name in front.
func reason(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(e.Said), "\n")
	for _, line := range slices.Backward(lines) {
		line = strings.TrimSpace(line)
		if line == "" || slices.ContainsFunc(chatter, func(c string) bool { return strings.HasPrefix(line, c) }) {
			continue
		}
		for _, prefix := range []string{"docker: ", "ERROR: ", "Error: ", "Error response from daemon: "} {
			line = strings.TrimPrefix(line, prefix)
		}
		return strings.TrimSuffix(line, ".")
	}
	return e.Err.Error()
}
