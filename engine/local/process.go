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

	"github.com/dustin/go-humanize"

	"github.com/tafc/tafc/engine"
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
	limit       int64  // of the memory of its container, bytes
	refused     string // why the container was not started
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
	in    *contained    // the container that it is the foreground of; nil: it is the task itself
	said  io.Reader     // what the task says of its progress
	ended chan struct{} // closed when it was waited for

	mu     sync.Mutex
	reaped bool // its process id may belong to another by now
}

// execute runs an attempt's process to its end.
func (r *runner) execute(ctx context.Context, a *engine.Attempt, at *state.Attempt, spec *job.Spec, progress func(job.Progress)) exit {
	oomBefore := oomKills()
	p, stop, err := r.launch(a, at, spec, progress)
	if err != nil {
		return exit{code: -1, text: "not started", err: err}
	}
	defer stop()
	at.PID, at.Process = p.cmd.Process.Pid, identity(p.cmd.Process.Pid)
	// Without this record only the kill of an orphan is less certain.
	_ = r.db.AttemptProcess(r.durable, *at)

	x := r.wait(ctx, p, spec.Limits.MaxRunTime)
	s := p.cmd.ProcessState
	x.code, x.text = s.ExitCode(), s.String()
	x.killed = killedBySignal(s) && !x.timeout && !x.interrupted
	x.oom = oomKills() > oomBefore
	if p.in != nil {
		p.in.ended(r.durable, at.Dir, &x)
		r.removals.Go(func() { p.in.remove(r.durable) }) // nobody waits for that but the end of the run
	}
	if x.code != 0 {
		// What the user's program started in a group of its own, and the program itself when the task was killed.
		killMarked(at.Dir)
	}
	return x
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

// ofContainer says whose limit was reached.
const ofContainer = "its container reached its limit of"

// cause is what the end of a process without a report means.
func (x exit) cause(dir string, limits job.Limits) (cause job.Cause, message, hint string) {
	logs := "its log is " + filepath.Join(dir, "log.txt")
	more := "give the stage more memory, or smaller batches; " + logs
	switch {
	case x.err != nil:
		return job.CauseInfrastructure, fmt.Sprintf("the task's process could not be started: %v", x.err), ""
	case x.refused != "":
		return job.CauseInfrastructure, "the task's container could not be started: " + x.refused, logs
	case x.timeout:
		return job.CauseTimeout, fmt.Sprintf("the task ran longer than its max_run_time of %s and did not end by itself", limits.MaxRunTime), logs
	case x.killed && x.oom && x.limit > 0:
		return job.CauseMemory, fmt.Sprintf("the task was killed because "+ofContainer+" %s of memory", humanize.IBytes(uint64(x.limit))), more
	case x.killed && x.oom:
		return job.CauseMemory, "the system killed the task for want of memory", more
	case ranOutOfMemory(dir):
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
func ranOutOfMemory(dir string) bool {
	text := logTail(dir)
	return strings.Contains(text, "fatal error: runtime: out of memory") || strings.Contains(text, "fatal error: runtime: cannot allocate memory")
}

// logTail is the end of an attempt's log, empty when it cannot be read.
func logTail(dir string) string {
	f, err := os.Open(filepath.Join(dir, "log.txt"))
	if err != nil {
		return ""
	}
	defer f.Close()
	const tail = 64 << 10 // room for stacks
	if info, err := f.Stat(); err == nil && info.Size() > tail {
		if _, err := f.Seek(-tail, io.SeekEnd); err != nil {
			return ""
		}
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return ""
	}
	return string(text)
}
