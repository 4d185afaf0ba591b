package agent

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/tafc/tafc/internal/atomicfile"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/mapper"
	"github.com/tafc/tafc/runtime/remote"
	"github.com/tafc/tafc/taskcluster"
)

// agent is one run of a task.
type agent struct {
	out, work string // folders: of the artifacts, and of everything else
	taskID    string // empty outside of Taskcluster
	attempt   int    // the run's number, counted from 1
	j         journal
	tc        *taskcluster.Client
	begin     time.Time
}

// Main is a task of Taskcluster: it finds the Document, carries it out, leaves report.json and what it names in the folder of the
// artifacts, and returns the exit code of docs/exit-codes.md. args are what follows taf-mapper task. ctx ends the task without a
// report.
func Main(ctx context.Context, args []string, s mapper.Streams) int {
	flags := flag.NewFlagSet("taf-mapper task", flag.ContinueOnError)
	flags.SetOutput(s.Stderr)
	out := flags.String("out", NativeOut, "folder of the artifacts")
	work := flags.String("work", "", "folder for everything else (default: work, beside that of the artifacts)")
	flags.Usage = func() {
		fmt.Fprintln(s.Stderr, "usage: taf-mapper task [-out DIR] [-work DIR]\n\nRuns a task of Taskcluster. What to do is in the environment variable "+EnvDocument+", or in extra."+Extra+" of the task's definition.")
		flags.PrintDefaults()
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return mapper.ExitUsage
	case flags.NArg() > 0:
		flags.Usage()
		return mapper.ExitUsage
	}
	if runtime.GOOS == "windows" {
		fmt.Fprintln(s.Stderr, "tasks cannot be run on Windows: use workers with Linux or macOS")
		return job.CauseBadSpec.ExitCode()
	}
	a := &agent{out: *out, work: *work, taskID: os.Getenv("TASK_ID"), attempt: 1, begin: time.Now()}
	if run, err := strconv.Atoi(os.Getenv("RUN_ID")); err == nil && run >= 0 {
		a.attempt = run + 1
	}
	done, err := a.prepare(s)
	if err != nil {
		fmt.Fprintln(s.Stderr, err)
		return job.CauseWrite.ExitCode()
	}
	defer done()
	return a.run(ctx)
}

// prepare makes the folders and opens the log and the events.
func (a *agent) prepare(s mapper.Streams) (done func(), err error) {
	if a.out, err = filepath.Abs(a.out); err != nil {
		return nil, err
	}
	if a.work == "" {
		a.work = filepath.Join(filepath.Dir(a.out), "work")
	}
	if a.work, err = filepath.Abs(a.work); err != nil {
		return nil, err
	}
	for _, dir := range []string{a.out, filepath.Join(a.work, "run")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("the folder of the task cannot be made: %w; this user (id %d) must be allowed to write there, or name others with -out and -work", err, os.Getuid())
		}
	}
	if err := os.Remove(filepath.Join(a.out, ReportFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	events, err := os.Create(filepath.Join(a.out, EventsFile))
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(a.out, LogFile))
	if err != nil {
		events.Close()
		return nil, err
	}
	a.j.events = events
	a.j.log = log
	if s.Stdout != nil {
		a.j.log = io.MultiWriter(s.Stdout, log)
	}
	return func() { events.Close(); log.Close() }, nil
}

// run does all that can fail with a report.
func (a *agent) run(ctx context.Context) int {
	var who Document // as much of it as is known
	report, err := a.carryOut(ctx, &who)
	if ctx.Err() != nil && (report == nil || report.Cause != job.CauseDone) {
		a.j.event("agent.interrupted")
		a.j.say("interrupted")
		return mapper.ExitInterrupted
	}
	if err != nil {
		f := explain(err)
		report = a.failed(&who.Spec, f)
		a.j.event("agent.failed", "cause", f.Cause, "message", f.Message)
		a.j.say("error (%s): %s", f.Cause, f.Message)
		if f.Hint != "" {
			a.j.say("  hint: %s", f.Hint)
		}
	}
	data, err := marshal(report)
	if err == nil {
		err = atomicfile.WriteBytes(filepath.Join(a.out, ReportFile), data, 0o644)
	}
	if err != nil {
		a.j.say("error (write): the report cannot be written: %v", err)
		return job.CauseWrite.ExitCode()
	}
	return exitCode(report, who.RetryExits)
}

// exitCode is that of the cause, unless the user's program ended with a code that is worth another run.
func exitCode(report *job.Report, again []int) int {
	code := 0
	if f := report.Failure; f != nil {
		if _, err := fmt.Sscanf(f.Exit, "exit status %d", &code); err == nil && slices.Contains(again, code) {
			return ExitAgain
		}
	}
	return report.Cause.ExitCode()
}

// carryOut does the task. The error is of what surrounds it; how the task itself went is in the report.
func (a *agent) carryOut(ctx context.Context, who *Document) (report *job.Report, err error) {
	defer func() {
		if v := recover(); v != nil {
			f := &Failure{Cause: job.CauseBug, Message: fmt.Sprintf("panic: %v", v), Hint: "this is a bug of tafc: please report it with this stack"}
			f.Stack = string(debug.Stack())
			report, err = nil, f
		}
	}()
	d, err := a.document(ctx)
	if err != nil {
		return nil, err
	}
	*who = *d
	a.hello(d)
	spec := d.Spec
	spec.Attempt = a.attempt
	if err := a.secrets(ctx, d.Secrets); err != nil {
		return nil, err
	}
	if d.Code != nil {
		dir, err := a.code(ctx, d.Code)
		if err != nil {
			return nil, err
		}
		code := *spec.Code
		code.Dir = dir
		spec.Code = &code
	}
	if spec.Upstream, err = a.upstream(ctx, d); err != nil {
		return nil, err
	}
	o := mapper.Options{Log: a.j.writer(), Events: a.j.eventWriter(), Progress: a.progress()}
	if d.Buckets != nil {
		o.Remote = remote.New(spec.S3).WithCredentials(a.buckets(d.Buckets))
	}
	mapper.Bound(&spec)
	run := filepath.Join(a.work, "run")
	report = mapper.Run(ctx, &spec, run, o)
	if report == nil {
		return nil, ctx.Err()
	}
	return report, a.publish(run, report)
}

// hello says in the log what this is.
func (a *agent) hello(d *Document) {
	host, _ := os.Hostname()
	a.j.event("agent.start", "run", d.Run, "task", d.Spec.Task, "task_id", a.taskID, "attempt", a.attempt, "host", host)
	a.j.say("%s of the analysis %s, run %s, attempt %d", d.Spec.Task, d.Spec.Analysis, d.Run, a.attempt)
}

// progress says now and then how far the task is.
func (a *agent) progress() func(job.Progress) {
	last := time.Now()
	return func(p job.Progress) {
		if time.Since(last) < 30*time.Second {
			return
		}
		last = time.Now()
		a.j.event("progress", "files", p.Files, "records", p.Records, "bytes", p.Bytes)
		a.j.say("so far: %d files, %d records, %.1f MiB read", p.Files, p.Records, float64(p.Bytes)/(1<<20))
	}
}

// publish moves what a report names into the folder of the artifacts, and checks that it is there.
func (a *agent) publish(run string, report *job.Report) error {
	type file struct {
		name string
		size int64
	}
	var files []file
	for _, p := range report.Parts {
		files = append(files, file{p.Path, p.Size})
	}
	if q := report.Quarantine; q != nil {
		files = append(files, file{q.Path, q.Size})
	}
	for _, f := range files {
		to := filepath.Join(a.out, f.name)
		if err := move(filepath.Join(run, f.name), to); err != nil {
			return &Failure{Cause: job.CauseWrite, Message: fmt.Sprintf("the result cannot be put among the artifacts: %v", err), Hint: "give the workers a larger disk"}
		}
		if info, err := os.Stat(to); err != nil || info.Size() != f.size {
			return &Failure{Cause: job.CauseWrite, Message: fmt.Sprintf("%s of the result is not there with its %d bytes", f.name, f.size), Hint: "look at the disk of the worker"}
		}
	}
	return nil
}

// move renames, or copies between file systems.
func move(from, to string) error {
	if os.Rename(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Remove(from)
}
