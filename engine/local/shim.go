package local

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tafc/tafc/runtime/usercode"
)

// A version manager puts a script in the place of an interpreter that finds out, at every start, which one is meant. That may
// take longer than a short task, so it is asked once for all tasks of a run.

// shimTimeout is how long an interpreter may take to say where it is.
const shimTimeout = 10 * time.Second

// interpreters are the variables that tell tasks where the interpreters of their languages are, for those that are shims.
func (r *runner) interpreters() []string {
	var env []string
	asked := map[string]bool{}
	for _, t := range r.run.Tasks {
		code := t.Spec.Code
		if t.Reused || code == nil || asked[code.Language] {
			continue
		}
		asked[code.Language] = true
		i, known := usercode.InterpreterOf(code.Language)
		if !known || os.Getenv(i.Env) != "" {
			continue
		}
		if path := behindShim(r.durable, r.db.Dir(), i); path != "" {
			env = append(env, i.Env+"="+path)
		}
	}
	return env
}

// behindShim is the interpreter that a shim starts; empty when the interpreter is none, or when it does not say.
func behindShim(ctx context.Context, dir string, i usercode.Interpreter) string {
	path, err := exec.LookPath(i.Program)
	if err != nil || !isScript(path) {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, shimTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, i.WhereArgs...)
	cmd.Dir = dir // version managers look at the folder and those above it
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	real := strings.TrimSpace(string(out))
	if !filepath.IsAbs(real) || isScript(real) {
		return ""
	}
	return real
}

func isScript(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 2)
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == "#!"
}
