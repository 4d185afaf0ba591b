package local

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// launch starts the process with its lifeline, its progress pipe and its log.
func (r *runner) launch(a *engine.Attempt, at *state.Attempt, spec *job.Spec, progress func(job.Progress)) (_ *process, stop func(), err error) {
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
	p := &process{ended: make(chan struct{})}
	done, err := r.prepareCommand(p, a, at, spec)
	if err != nil {
		lifelineWrite.Close()
		return nil, nil, err
	}
	cmd := p.cmd
	cmd.Stdin, cmd.Stdout, cmd.Stderr = lifelineRead, log, log
	isolate(cmd)
	err = r.starter.start(cmd)
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
	if err != nil {
		lifelineWrite.Close()
		done()
		return nil, nil, err
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		if p.in != nil {
			_, _ = lifelineWrite.Write(p.in.env) // a program that is gone already has ended for another reason
		}
		readProgress(p.said, progress)
	}()
	go p.reap()
	return p, func() {
		lifelineWrite.Close()
		done() // a left-over process may still hold the other end
		<-read
	}, nil
}

// prepareCommand makes what starts the task: its own process, or the tool that keeps its container in the foreground. done closes this side
// of what carries its progress.
func (r *runner) prepareCommand(p *process, a *engine.Attempt, at *state.Attempt, spec *job.Spec) (done func(), err error) {
	if b := r.box(a.Task); b != nil {
		secrets := r.o.Secrets[at.Address.Stage]
		if p.in, err = b.contain(spec, at.Dir, stateLabel, r.db.Dir(), a.Task.Cpus, secrets, r.o.mounts); err != nil {
			return nil, err
		}
		// What ctx would end alone is the tool, not the container.
		p.cmd, p.said = b.tool.Command(context.Background(), p.in.args...), p.in.said
		p.cmd.Dir = at.Dir
		p.cmd.Env = append(os.Environ(), markVariable+"="+at.Dir)
		return p.in.close, nil
	}
	progressRead, progressWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd = exec.Command(r.o.Executable, append(append([]string{}, r.o.TaskArgs...), filepath.Join(at.Dir, "spec.json"))...)
	p.cmd.Dir = at.Dir
	p.cmd.Env = append(r.environ(at.Address.Stage), "TAFC_LIFELINE=1", "TAFC_PROGRESS_FD=3", markVariable+"="+at.Dir)
	p.cmd.Env = append(p.cmd.Env, r.env...)
	p.cmd.ExtraFiles = []*os.File{progressWrite}
	p.said = progressRead
	return func() { progressRead.Close() }, nil
}
