package local

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// markVariable names an attempt's folder in the environment of all its processes, so that orphans can be told from others.
const markVariable = "TAFC_ATTEMPT"

// exit is how a task's process ended.
type exit struct {
	code        int    // -1: by a signal, or it never started
	text        string // "exit status 10", "signal: killed"
	killed      bool   // by SIGKILL that this engine did not send
	oom         bool   // the kernel killed something for want of memory meanwhile
	interrupted bool   // this engine was told to stop
	timeout     bool   // this engine ended it because it took too long
	err         error  // it could not be started
}

// starter starts all processes from one system thread that lives as long as Apply, because Linux signals a child when the
// thread that started it ends.
type starter struct{ calls chan func() }

func newStarter() *starter {
	s := &starter{calls: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for call := range s.calls {
			call()
		}
	}()
	return s
}

func (s *starter) start(cmd *exec.Cmd) error {
	done := make(chan error, 1)
	s.calls <- func() { done <- cmd.Start() }
	return <-done
}

func (s *starter) close() { close(s.calls) }

// process is a running task.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it was waited for

	mu     sync.Mutex
	reaped bool // its process id may belong to another by now
}

// execute runs an attempt's process to its end.
func (r *runner) execute(ctx context.Context, at *state.Attempt, limit time.Duration, progress func(job.Progress)) exit {
	oomBefore := oomKills()
	p, stop, err := r.launch(at, progress)
	if err != nil {
		return exit{code: -1, text: "not started", err: err}
	}
	defer stop()
	at.PID, at.Process = p.cmd.Process.Pid, identity(p.cmd.Process.Pid)
	// Without this record only the kill of an orphan is less certain.
	_ = r.db.AttemptProcess(r.durable, *at)

	x := r.wait(ctx, p, limit)
	s := p.cmd.ProcessState
	x.code, x.text = s.ExitCode(), s.String()
	x.killed = killedBySignal(s) && !x.timeout && !x.interrupted
	x.oom = oomKills() > oomBefore
	if x.code != 0 {
		// What the user's program started in a group of its own, and the program itself when the task was killed.
		killMarked(at.Dir)
	}
	return x
}

// launch starts the process with its lifeline, its progress pipe and its log.
func (r *runner) launch(at *state.Attempt, progress func(job.Progress)) (_ *process, stop func(), err error) {
	log, err := os.OpenFile(filepath.Join(at.Dir, "log.txt"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, nil, err
	}
	defer log.Close()
	lifelineRead, lifelineWrite, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer lifelineRead.Close()
	progressRead, progressWrite, err := os.Pipe()
	if err != nil {
		lifelineWrite.Close()
		return nil, nil, err
	}
	defer progressWrite.Close()

	args := append(append([]string{}, r.o.TaskArgs...), filepath.Join(at.Dir, "spec.json"))
	cmd := exec.Command(r.o.Executable, args...)
	cmd.Dir = at.Dir
	cmd.Env = append(r.environ(at.Address.Stage), "TAFC_LIFELINE=1", "TAFC_PROGRESS_FD=3", markVariable+"="+at.Dir)
	cmd.Env = append(cmd.Env, r.env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = lifelineRead, log, log
	cmd.ExtraFiles = []*os.File{progressWrite}
	isolate(cmd)
	if err := r.starter.start(cmd); err != nil {
		lifelineWrite.Close()
		progressRead.Close()
		return nil, nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	read := make(chan struct{})
	go func() {
		defer close(read)
		readProgress(progressRead, progress)
	}()
	go p.reap()
	return p, func() {
		lifelineWrite.Close()
		progressRead.Close() // a left-over process may still hold the other end
		<-read
	}, nil
}

// readProgress passes on what a task says of itself. Lines that make no sense are left out.
func readProgress(from io.Reader, progress func(job.Progress)) {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		var p job.Progress
		if json.Unmarshal(lines.Bytes(), &p) == nil {
			progress(p)
		}
	}
}

// reap waits for the process, ends what it left running in its group, and frees its process id, in this order: as long as
// the process is not waited for, its group's id belongs to nobody else.
func (p *process) reap() {
	pid := p.cmd.Process.Pid
	awaitExit(pid)
	p.mu.Lock()
	defer p.mu.Unlock()
	killGroup(pid)
	_ = p.cmd.Wait() // how it ended is in ProcessState
	p.reaped = true
	close(p.ended)
}

// signal sends a signal to the process and all that it started.
func (p *process) signal(send func(pid int)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		send(p.cmd.Process.Pid)
	}
}

// wait waits for the end of the process, and brings it about when ctx ends or the time is over.
func (r *runner) wait(ctx context.Context, p *process, limit time.Duration) (x exit) {
	var late <-chan time.Time
	if limit > 0 {
		timer := time.NewTimer(limit + r.o.Grace)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-p.ended:
		return x
	case <-late:
		x.timeout = true
		p.signal(killGroup)
	case <-ctx.Done():
		x.interrupted = true
		p.signal(stopGroup)
		timer := time.NewTimer(r.o.Stop)
		defer timer.Stop()
		select {
		case <-p.ended:
			return x
		case <-timer.C:
			p.signal(killGroup)
		}
	}
	<-p.ended
	return x
}

// killMarked ends the processes that carry the mark of this folder or of one in it, and returns one of them, or 0.
func killMarked(root string) (found int) {
	for _, pid := range marked(root) {
		found = pid
		if p, err := os.FindProcess(pid); err == nil {
			_ = p.Kill() // gone already is as good
		}
	}
	return found
}

// cause is what the end of a process without a report means.
func (x exit) cause(dir string, limits job.Limits) (cause job.Cause, message, hint string) {
	logs := "its log is " + filepath.Join(dir, "log.txt")
	more := "give the stage more memory, or smaller batches; " + logs
	switch {
	case x.err != nil:
		return job.CauseInfrastructure, fmt.Sprintf("the task's process could not be started: %v", x.err), ""
	case x.timeout:
		return job.CauseTimeout, fmt.Sprintf("the task ran longer than its max_run_time of %s and did not end by itself", limits.MaxRunTime), logs
	case x.killed && x.oom:
		return job.CauseMemory, "the system killed the task for want of memory", more
	case ranOutOfMemory(filepath.Join(dir, "log.txt")):
		return job.CauseMemory, "the task ran out of memory", more
	}
	for _, c := range []job.Cause{
		job.CauseCode, job.CauseDownload, job.CauseCorrupt, job.CauseDrifted, job.CauseTolerance, job.CauseWrite,
		job.CauseMemory, job.CauseTimeout, job.CauseBadSpec, job.CauseBug,
	} {
		if c.ExitCode() == x.code {
			return c, fmt.Sprintf("the task's process ended with %s (%s) and left no report", x.text, c), logs
		}
	}
	return job.CauseInfrastructure, fmt.Sprintf("the task's process ended (%s) and left no report", x.text), logs
}

// ranOutOfMemory tells whether the Go runtime of a task said so at the end of its log.
func ranOutOfMemory(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	const tail = 64 << 10 // room for the stacks that follow
	if info, err := f.Stat(); err == nil && info.Size() > tail {
		if _, err := f.Seek(-tail, io.SeekEnd); err != nil {
			return false
		}
	}
	text, err := io.ReadAll(f)
	return err == nil && (strings.Contains(string(text), "fatal error: runtime: out of memory") ||
		strings.Contains(string(text), "fatal error: runtime: cannot allocate memory"))
}
