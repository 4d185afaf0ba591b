package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tafc/tafc/internal/container"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// box is what an attempt ran in, as it was then.
func (in *ranIn) box(ctx context.Context, o Options) (*box, error) {
	tool, err := container.Open(ctx, in.Tool)
	if err != nil {
		return nil, fmt.Errorf("the task ran in a container, and %w. -no-container runs it with the programs of this computer", err)
	}
	img, err := tool.Image(ctx, in.Image)
	if errors.Is(err, container.ErrNoImage) {
		return nil, fmt.Errorf("the image that the task ran in (%s, %.19s…) is not on this computer any more; -no-container runs it with the programs of this computer", in.Ref, in.Image)
	}
	if err != nil {
		return nil, err
	}
	return newBox(tool, in.Ref, img, o)
}

// runContained is run for an attempt that ran in a container.
func (o ReplayOptions) runContained(ctx context.Context, at state.Attempt, spec *job.Spec, in *ranIn) (*job.Report, error) {
	b, err := in.box(ctx, Options{Executable: o.Executable, TaskArgs: o.TaskArgs, Mapper: o.Mapper})
	if err != nil {
		return nil, err
	}
	c, err := b.contain(spec, o.Dir, replayLabel, o.State, in.CPUs, o.secrets(spec), nil)
	if err != nil {
		return nil, err
	}
	defer c.close()
	log, err := os.Create(filepath.Join(o.Dir, "log.txt"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	lifeline, stdin, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	defer lifeline.Close()
	go func() { _, _ = stdin.Write(c.env) }() // a program that is gone already has ended for another reason
	late, cancel := ctx, context.CancelFunc(func() {})
	if limit := spec.Limits.MaxRunTime; limit > 0 {
		late, cancel = context.WithTimeout(ctx, limit+10*time.Second)
	}
	defer cancel()
	cmd := b.tool.Command(late, c.args...)
	// The tool hands the signal on; killed, it would leave the container alone.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	both := io.MultiWriter(log, o.Log)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = o.Dir, lifeline, both, both
	at.Dir, at.Started = o.Dir, time.Now()
	runErr := cmd.Run()
	if cmd.ProcessState == nil {
		return nil, runErr
	}
	x := exit{code: cmd.ProcessState.ExitCode(), text: cmd.ProcessState.String(), killed: killedBySignal(cmd.ProcessState), timeout: ctx.Err() == nil && late.Err() != nil}
	c.ended(context.WithoutCancel(ctx), o.Dir, &x)
	c.remove(context.WithoutCancel(ctx))
	report, err := readReport(o.Dir, *spec)
	if errors.Is(err, fs.ErrNotExist) {
		return noReport(at, spec, x), nil
	}
	if err != nil {
		return nil, err
	}
	return x.blameMemory(o.Dir, report)
}

// secrets are the values that the task gets by its environment alone.
func (o ReplayOptions) secrets(spec *job.Spec) map[string]string {
	secrets := maps.Clone(o.Secrets)
	if secrets == nil {
		secrets = map[string]string{}
	}
	for _, name := range spec.Secrets {
		if value, set := os.LookupEnv(name); set && secrets[name] == "" {
			secrets[name] = value
		}
	}
	return secrets
}

// Shell is how a shell is opened where an attempt ran: in its image, with what it saw, in a folder of its own.
type Shell struct {
	Dir    string // working directory, which can be written
	State  string // folder of the state
	Output io.Writer
	Errors io.Writer
	Input  io.Reader
	// Terminal tells that Input is one.
	Terminal bool
}

// OpenShell opens a shell in the image that an attempt ran in. ran is false when it ran in none. Secrets are not in its environment, because
// that of a container can be looked up.
func OpenShell(ctx context.Context, at state.Attempt, sh Shell, began func(image string)) (ran bool, err error) {
	in, err := readRanIn(at.Dir)
	if in == nil || err != nil {
		return false, err
	}
	spec, err := Spec(at)
	if err != nil {
		return true, err
	}
	tool, err := container.Open(ctx, in.Tool)
	if err != nil {
		return true, fmt.Errorf("the task ran in a container, and %w", err)
	}
	var env []string
	for name, value := range spec.Env {
		env = append(env, name+"="+value)
	}
	name := containerName(sh.Dir)
	specFile := filepath.Join(at.Dir, "spec.json")
	shown := append(mounts(spec, sh.Dir), container.Mount{Path: specFile})
	began(in.Ref)
	cmd := tool.Command(ctx, tool.RunArgs(container.Run{
		Name: name, Image: in.Image, Program: "sh", Dir: sh.Dir, Mounts: shown, Network: network(spec, os.Getenv), Terminal: sh.Terminal,
		Memory: memory(spec.Limits, leastMemory), CPUs: max(in.CPUs, 1), Labels: map[string]string{replayLabel: sh.State, "org.tafc.task": spec.Task},
		Env: append(env, "HOME=/tmp", "TAFC_SPEC="+specFile),
	})...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = sh.Input, sh.Output, sh.Errors
	err = cmd.Run()
	return true, errors.Join(err, tool.Remove(context.WithoutCancel(ctx), name))
}
