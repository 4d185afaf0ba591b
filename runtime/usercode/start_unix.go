//go:build unix

package usercode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tafc/tafc/runtime/job"
)

// The longest line or pair when the Options do not say it, and at most: several of them are in memory at once.
const (
	defaultMaxRecord = 64 << 20
	mostMaxRecord    = 1 << 28
)

func start(ctx context.Context, o Options, sink Sink) (Program, error) {
	if err := prepare(ctx, &o); err != nil {
		return nil, err
	}
	switch {
	case len(o.Command) > 0:
		return startStreaming(ctx, o, o.Command, sink)
	case o.Code.Contract == "streaming" || o.Code.Language == "program":
		argv, err := scriptArgs(o.Code, o.Env)
		if err != nil {
			return nil, err
		}
		return startStreaming(ctx, o, argv, sink)
	}
	h, err := startHelper(ctx, o, sink, nil)
	if err != nil {
		return nil, err
	}
	return h, nil
}

// prepare checks the options and makes the folder to run in.
func prepare(ctx context.Context, o *Options) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if o.MaxRecord <= 0 {
		o.MaxRecord = defaultMaxRecord
	}
	o.MaxRecord = min(o.MaxRecord, mostMaxRecord)
	switch {
	case o.WorkDir == "":
		return errors.New("user code needs a folder to run in")
	case len(o.Command) == 0 && o.Code == nil:
		return errors.New("there is neither code nor a command to run")
	}
	if err := os.MkdirAll(filepath.Join(o.WorkDir, ".taf-helper"), 0o755); err != nil {
		return writeError("the folder that user code runs in", err)
	}
	return nil
}

// scriptArgs is how the entry file is run as a program: by its language, by what its first line names, as it is when it is a
// binary, else by sh. A script is not run as a file of its own, so that it needs no permission to be executed.
func scriptArgs(code *job.Code, env map[string]string) ([]string, error) {
	path, err := filepath.Abs(filepath.Join(code.Dir, filepath.FromSlash(code.Entry)))
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the code: %w", err)
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, fmt.Errorf("read the code: %w", err)
	}
	head = head[:n]
	if rest, ok := bytes.CutPrefix(head, []byte("#!")); ok {
		line, _, _ := strings.Cut(string(rest), "\n")
		program, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
		if arg = strings.TrimSpace(arg); arg != "" {
			return []string{program, arg, path}, nil
		}
		if program != "" {
			return []string{program, path}, nil
		}
	}
	if program := interpreter(code.Language, env); program != "" {
		return []string{program, path}, nil
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return []string{path}, nil
	}
	return []string{"sh", path}, nil
}

// command makes a command that runs in the working folder. Its program is looked for in the PATH that it is given.
func command(o Options, argv []string, forced map[string]string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	if path, ok := o.Env["PATH"]; ok && !strings.Contains(argv[0], "/") {
		cmd.Path, cmd.Err = lookPath(argv[0], path)
	}
	vars := map[string]string{"TAF_ROLE": string(o.Role)}
	if o.Code != nil {
		vars["TAF_CODE"] = absolute(o.Code.Dir)
	}
	for name, value := range forced {
		vars[name] = value
	}
	cmd.Env = environment(o.Env, vars)
	cmd.Dir = o.WorkDir
	return cmd
}

func lookPath(program, path string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(absolute(dir), program)); err == nil {
			return found, nil
		}
	}
	return program, &exec.Error{Name: program, Err: exec.ErrNotFound}
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// pipe makes a pipe; the files of a failed attempt are closed.
func pipe(open *[]*os.File) (r, w *os.File, err error) {
	r, w, err = os.Pipe()
	if err != nil {
		for _, f := range *open {
			f.Close()
		}
		return nil, nil, fmt.Errorf("make a pipe: %w", err)
	}
	*open = append(*open, r, w)
	return r, w, nil
}

// causeOf is why a context ended, nil while it goes on.
func causeOf(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}
