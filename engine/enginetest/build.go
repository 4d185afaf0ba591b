package enginetest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/job"
)

// Build makes runs. Keys are made as a compiler makes them: of the command, the inputs, and the keys of the upstream tasks.
type Build struct {
	TB  testing.TB
	Dir string // of input files
	Run *engine.Run
}

// NewBuild starts a run.
func NewBuild(tb testing.TB, dir, id string) *Build {
	return &Build{TB: tb, Dir: dir, Run: &engine.Run{ID: id, Analysis: "suite", Stages: map[string][]byte{}}}
}

// Map adds a map task over one file with this text.
func (b *Build) Map(stage, name, text, command string) *engine.Task {
	b.TB.Helper()
	path := filepath.Join(b.Dir, stage+"-"+name+".txt")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.TB.Fatal(err)
	}
	t := b.task("map", stage, name, command, job.RoleMap)
	etag := digest(text)
	t.Bytes, t.Files = int64(len(text)), 1
	t.Spec.Files = []job.File{{Key: name, URL: "file://" + filepath.ToSlash(path), Size: int64(len(text)), ETag: etag}}
	t.Inputs = []byte(name + " " + etag)
	b.seal(t, name+etag)
	return t
}

// Reduce adds the only task of a reduce.
func (b *Build) Reduce(stage, command string, up ...*engine.Task) *engine.Task {
	t := b.task("reduce", stage, "", command, job.RoleReduce)
	of := ""
	for _, u := range up {
		t.Needs = append(t.Needs, u)
		t.Upstream = append(t.Upstream, engine.Upstream{Task: u, Partition: 0, Of: 1})
		of += u.Key
	}
	t.Inputs = []byte(of)
	b.seal(t, of)
	return t
}

func (b *Build) task(kind, stage, name, command string, role job.Role) *engine.Task {
	t := &engine.Task{Addr: addr.Task{Stage: addr.Stage{Kind: kind, Name: stage}, Name: name}}
	t.Spec = job.Spec{
		Version: job.Version, Analysis: "suite", Task: t.Addr.String(), Role: role, Command: []string{"sh", "-c", command},
		Format: "lines", Partitions: 1, Limits: job.Limits{Memory: 64 << 20, Record: 1 << 20}, Env: map[string]string{},
	}
	t.Retry.Attempts = 1
	b.Run.Tasks = append(b.Run.Tasks, t)
	return t
}

func (b *Build) seal(t *engine.Task, inputs string) {
	components := fmt.Sprintf("%s %v", t.Addr.Stage, t.Spec.Command)
	t.StageDigest = digest(components)
	b.Run.Stages[t.StageDigest] = []byte(components)
	t.InputsDigest = digest(inputs)
	t.Key = digest(t.StageDigest + t.InputsDigest)
	t.Spec.Key = t.Key
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
