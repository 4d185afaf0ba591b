package mapper

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"github.com/tafc/tafc/runtime/job"
)

// resident is what the process of a task holds before it reads anything, in bytes: the program and Go's runtime.
const resident = 28 << 20

// heap is what of a task's memory is left for sorting and buffers.
func heap(limit int64) int64 { return max(limit-resident, limit/4) }

// share is what this process may hold of a task's memory, in bytes. A program of the user's code needs some as well, and a limit that the kernel sets
// counts both: it gets a third, or what is left of 256 MiB for it.
func share(spec *job.Spec) int64 {
	all := heap(spec.Limits.Memory)
	if spec.Code == nil && len(spec.Command) == 0 {
		return all
	}
	return max(all-256<<20, all*2/3)
}

// gcPercent lets garbage grow further than Go would: blocks of records are large and live for a moment, and the memory limit
// bounds them all the same. Measured: 3 % of a run's CPU.
const gcPercent = 400

// oomKills is how many processes the kernel has killed for want of memory so far, in this control group or, where that is not
// told, on this computer. Where neither is told it is always 0.
func oomKills() int64 {
	var most int64
	if own, err := os.ReadFile("/proc/self/cgroup"); err == nil {
		for line := range strings.Lines(string(own)) {
			if group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
				most = max(most, counter("/sys/fs/cgroup"+group+"/memory.events", "oom_kill"))
			}
		}
	}
	most += counter("/sys/fs/cgroup/memory.events", "oom_kill")
	most += counter("/sys/fs/cgroup/memory/memory.oom_control", "oom_kill") // of the first version of control groups
	return most + counter("/proc/vmstat", "oom_kill")
}

// counter reads the number behind a name in a file of lines of name and number.
func counter(path, name string) int64 {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(data) {
		if rest, ok := bytes.CutPrefix(line, []byte(name+" ")); ok {
			n, _ := strconv.ParseInt(string(bytes.TrimSpace(rest)), 10, 64)
			return n
		}
	}
	return 0
}
