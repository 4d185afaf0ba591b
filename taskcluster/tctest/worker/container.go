package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// dockerAnswers tells whether there is a Docker daemon.
func dockerAnswers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return exec.CommandContext(ctx, "docker", "info", "--format", "{{.ServerVersion}}").Run() == nil
}

// pull finds out whether there is such an image, where none is needed.
func (r *run) pull(i *image) error {
	if slices.Contains(r.w.o.Unpullable, i.Name) {
		return fmt.Errorf("docker pull %s: manifest unknown", i.Name)
	}
	return nil
}

// container runs a docker-style payload in a container.
func (r *run) container(ctx context.Context, j *work) verdict {
	if err := r.pull(j.image); err != nil {
		return exception("internal-error", "%v", err)
	}
	name, err := r.imageHere(ctx, j.image)
	if err != nil {
		return exception("internal-error", "%v", err)
	}
	box := fmt.Sprintf("tctest-%s-%d", strings.Trim(r.taskID, "-_"), r.runID)
	defer func() { _ = exec.Command("docker", "rm", "--force", "--volumes", box).Run() }()
	// Taskcluster and its proxy listen on this computer's loopback.
	args := []string{"run", "--name", box, "--network", "host", "--memory-swap", "-1", "--pids-limit", "-1", "--pull", "never", "--log-driver", "none"}
	env, err := r.envFile(j.env)
	if err != nil {
		return exception("internal-error", "%v", err)
	}
	args = append(append(append(args, env...), "--", name), j.commands[0]...)
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Cancel = func() error {
		_ = exec.Command("docker", "kill", box).Run()
		return cmd.Process.Kill()
	}
	cmd.Stdout, cmd.Stderr = r.log, r.log
	code := 0
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() >= 0 {
		code, err = exit.ExitCode(), nil
	}
	v := j.judge(ctx, code, err)
	if r.ctx.Err() == nil {
		r.copyOut(j, box)
	}
	return v
}

// mostInFile is the longest entry of the file of variables; longer ones go on the command line, as those with line ends do.
const mostInFile = 65_536

// envFile hands the environment to docker, as d2g does.
func (r *run) envFile(env map[string]string) ([]string, error) {
	var args []string
	var file strings.Builder
	for name, value := range env {
		entry := name + "=" + value
		if strings.ContainsAny(value, "\n") || len(entry) > mostInFile {
			args = append(args, "-e", entry)
			continue
		}
		file.WriteString(entry + "\n")
	}
	at := filepath.Join(r.dir, "env.list")
	return append(args, "--env-file", at), os.WriteFile(at, []byte(file.String()), 0o600)
}

// imageHere makes sure that the daemon has an image, and returns its name.
func (r *run) imageHere(ctx context.Context, i *image) (string, error) {
	if i.Type != "task-image" && i.Type != "indexed-image" {
		if exec.CommandContext(ctx, "docker", "image", "inspect", i.Name).Run() == nil {
			return i.Name, nil // no registry can be asked
		}
		out, err := exec.CommandContext(ctx, "docker", "pull", i.Name).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("docker pull %s: %w: %s", i.Name, err, bytes.TrimSpace(out))
		}
		return i.Name, nil
	}
	data, err := r.load(&content{TaskID: i.TaskID, Namespace: i.Namespace, Artifact: i.Path})
	if err != nil {
		return "", err
	}
	load := exec.CommandContext(ctx, "docker", "load")
	load.Stdin = bytes.NewReader(data)
	out, err := load.CombinedOutput()
	_, name, ok := strings.Cut(string(out), "Loaded image: ")
	if !ok {
		_, name, ok = strings.Cut(string(out), "Loaded image ID: ")
	}
	if err != nil || !ok {
		return "", fmt.Errorf("docker load: %v: %s", err, bytes.TrimSpace(out))
	}
	return strings.TrimSpace(name), nil
}

// copyOut copies the artifacts out of the container. What is missing is seen when it is published.
func (r *run) copyOut(j *work, box string) {
	for _, a := range j.artifacts {
		if err := os.MkdirAll(filepath.Dir(a.file), 0o755); err != nil {
			r.log.say("%v", err)
		}
		if out, err := exec.CommandContext(r.ctx, "docker", "cp", box+":"+a.path, a.file).CombinedOutput(); err != nil {
			r.log.say("docker cp %s: %s", a.path, bytes.TrimSpace(out))
		}
	}
}
