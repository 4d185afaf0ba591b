package local

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
)

// environ is what a task of a stage gets of this process's environment: all but the secrets of other stages, and its own.
func (r *runner) environ(stage addr.Stage) []string {
	secret := map[string]bool{}
	for _, vars := range r.o.Secrets {
		for name := range vars {
			secret[name] = true
		}
	}
	env := slices.DeleteFunc(os.Environ(), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return secret[name]
	})
	own := r.o.Secrets[stage]
	for _, name := range slices.Sorted(maps.Keys(own)) {
		env = append(env, name+"="+own[name])
	}
	return env
}

// noRoom is the report of an attempt for which the disk has too little room, nil when there is enough or nobody asked.
func (r *runner) noRoom(a *engine.Attempt, at state.Attempt, spec job.Spec) *job.Report {
	if a.Task.Disk == 0 {
		return nil
	}
	free, known := freeSpace(at.Dir)
	if !known || free >= uint64(a.Task.Disk) {
		return nil
	}
	return failed(emptyReport(at, spec), job.CauseInfrastructure,
		fmt.Sprintf("the task asks for %s of disk, and only %s are free where the state is", humanize.IBytes(uint64(a.Task.Disk)), humanize.IBytes(free)),
		"make room (tafc gc removes results that nothing refers to), put the state on another disk with -state, or lower resources.disk")
}
