//go:build unix

package usercode

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/tafc/tafc/runtime/job"
)

// drain is how long the pipes of a process that has ended are still read, when a process that it left behind keeps them open.
const drain = 2 * time.Second

// linger is how long what a streaming program left behind may go on printing.
const linger = 5 * time.Second

// process is a running program of the user's in a process group of its own.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has ended and its group is killed
	// settled, when not nil, is closed when the output has ended: so long what the process left behind may go on.
	settled chan struct{}

	mu     sync.Mutex
	pipes  []*os.File // ours, which must not block any more once the process has ended
	killed bool       // by us
	lasted bool       // what the process left behind did not end
}

// patient reads a pipe whose deadline is set when the process has ended: then what is still in the pipe, but no more, so that
// a process that was left behind and holds the other end cannot make us wait for ever.
type patient struct {
	f    *os.File
	late bool
	left int
}

func (p *patient) Read(b []byte) (int, error) {
	if p.late {
		b = b[:min(len(b), p.left)]
	}
	n, err := p.f.Read(b)
	if !p.late && n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		p.late, p.left = true, 2*frameSize
	}
	if p.late && p.left > 0 && n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		_ = p.f.SetReadDeadline(time.Now().Add(drain))
		n, err = p.f.Read(b[:min(len(b), p.left)])
	}
	if p.late {
		p.left -= n
		if p.left == 0 && err == nil {
			err = os.ErrDeadlineExceeded
		}
	}
	return n, err
}

// environment is what this process has, then own, then the given variables; later ones win.
func environment(own, forced map[string]string) []string {
	env := os.Environ()
	for _, vars := range []map[string]string{own, forced} {
		for _, name := range slices.Sorted(maps.Keys(vars)) {
			env = append(env, name+"="+vars[name])
		}
	}
	return env
}

// startProcess starts cmd and closes the ends of pipes that are the child's. ours are the other ends.
func startProcess(cmd *exec.Cmd, theirs, ours []*os.File, settled chan struct{}) (*process, error) {
	p := &process{cmd: cmd, exited: make(chan struct{}), settled: settled, pipes: ours}
	cmd.SysProcAttr = processGroup()
	err := cmd.Start()
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		for _, f := range ours {
			f.Close()
		}
		return nil, startError(cmd, err)
	}
	go p.wait()
	return p, nil
}

func startError(cmd *exec.Cmd, err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	e := &Error{
		Cause: job.CauseCode, Fatal: true,
		Message: fmt.Sprintf("cannot start %s: %v", cmd.Args[0], err),
	}
	e.Signature = e.Message
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, os.ErrNotExist):
		e.Message = cmd.Args[0] + " is not installed here"
		e.Hint = "install it, or use an image that has it"
	case errors.Is(err, os.ErrPermission):
		e.Hint = "make the file executable (chmod +x)"
	case errors.Is(err, syscall.ENOEXEC):
		e.Hint = "the file is no program of this kind of computer: begin a script with a line such as #!/bin/sh"
	}
	return e
}

// wait takes the process' end, and ends what it left behind.
func (p *process) wait() {
	_ = p.cmd.Wait() // the ProcessState tells
	lasted := p.settled != nil && p.cmd.ProcessState.Success() && !p.settle()
	killGroup(p.cmd.Process.Pid)
	p.mu.Lock()
	p.lasted = lasted
	for _, f := range p.pipes {
		_ = f.SetDeadline(time.Now()) // wakes who waits; see patient
	}
	p.mu.Unlock()
	close(p.exited)
}

// settle waits until the output has ended, or all processes of the group have.
func (p *process) settle() bool {
	leader := p.cmd.Process.Pid
	for began := time.Now(); time.Since(began) < linger; {
		select {
		case <-p.settled:
			return true
		case <-time.After(10 * time.Millisecond):
			if !groupAlive(leader) {
				return true
			}
		}
	}
	return false
}

// kill ends the process and all that it started in its group.
func (p *process) kill() {
	select {
	case <-p.exited:
		return
	default:
	}
	p.mu.Lock()
	p.killed = true
	p.mu.Unlock()
	killGroup(p.cmd.Process.Pid)
	// A process that left its group before it came to a signal handler is still ours.
	_ = p.cmd.Process.Kill()
}

func (p *process) wasKilled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.killed
}

// killWith kills the process when the context ends. It returns with the process.
func (p *process) killWith(ctx context.Context) {
	select {
	case <-ctx.Done():
		p.kill()
	case <-p.exited:
	}
}

// peakMemory is the largest resident size of the process or of one that it waited for, in bytes.
func (p *process) peakMemory() int64 {
	if p.cmd.ProcessState == nil {
		return 0
	}
	usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return int64(usage.Maxrss) * maxrssUnit
}

// died says how the process ended when it ended before its work. tail is the end of its standard error.
func (p *process) died(what, tail string) *Error {
	state := p.cmd.ProcessState
	status, _ := state.Sys().(syscall.WaitStatus)
	e := &Error{Cause: job.CauseCode, Exit: state.String(), Stack: tail}
	switch {
	case p.wasKilled():
		e.Message = what + " was stopped by force"
	case status.Signaled() && slices.Contains([]syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}, status.Signal()):
		e.Message = what + " was killed from outside (" + e.Exit + ")"
		e.Hint = "the code may signal itself, or somebody ended it: run it again"
	case status.Signaled() && status.Signal() == syscall.SIGKILL:
		e.Message = what + " was killed from outside (" + e.Exit + ")"
		e.Hint = "where memory is limited, that is what happens when it runs out"
	case status.Signaled():
		e.Message = what + " crashed (" + e.Exit + ")"
		e.Hint = "a crash comes from native code: a library that it loads, or the interpreter itself"
	default:
		e.Message = what + " ended by itself (" + e.Exit + ") before it was done"
	}
	e.Signature = e.Message
	return e
}
