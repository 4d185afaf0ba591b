package worker

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// standardPath is where native commands find programs.
const standardPath = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

// process runs a command as a process of this computer and returns its exit code. The error is that it could not be run.
func (r *run) process(ctx context.Context, j *work, argv []string) (int, error) {
	env := map[string]string{"HOME": r.dir, "TASK_WORKDIR": r.dir, "PATH": strings.Join(append(slices.Clone(r.w.o.Path), standardPath), string(os.PathListSeparator))}
	for name, value := range j.env {
		if j.image != nil {
			value = r.inside(j, value)
		}
		env[name] = value
	}
	argv = slices.Clone(argv)
	if j.image != nil {
		if len(argv) == 0 {
			return 0, errors.New("without an image there is no command to run")
		}
		for i := range argv {
			argv[i] = r.inside(j, argv[i])
		}
		if err := os.MkdirAll(filepath.Join(r.dir, "root", "tmp"), 0o755); err != nil {
			return 0, err
		}
	}
	program, err := find(argv[0], r.dir, env["PATH"])
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, program, argv[1:]...)
	cmd.Args[0] = argv[0]
	cmd.Dir = r.dir
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	slices.Sort(cmd.Env)
	cmd.Stdout, cmd.Stderr = r.log, r.log
	alone(cmd)
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if exit.ExitCode() < 0 {
			return 137, nil // what a shell and docker make of a kill
		}
		return exit.ExitCode(), nil
	}
	return 0, err
}

// inside puts the folders of artifacts that a text names into the folder that stands for the file system of the image.
func (r *run) inside(j *work, text string) string {
	paths := make([]string, 0, len(j.artifacts))
	for _, a := range j.artifacts {
		paths = append(paths, a.path)
	}
	slices.SortFunc(paths, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, p := range paths {
		if strings.Contains(text, p) {
			return strings.ReplaceAll(text, p, filepath.Join(r.dir, "root", filepath.FromSlash(p)))
		}
	}
	return text
}

// find finds a program as exec does, by the PATH of the task and from its folder.
func find(name, dir, path string) (string, error) {
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return name, nil
	}
	for _, folder := range filepath.SplitList(path) {
		file := filepath.Join(folder, name)
		if info, err := os.Stat(file); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}
