package require

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// MemoryGroup makes a control group whose processes the kernel kills when they take more than limit bytes together, and returns the shell command
// that puts a shell into it. Without the right to make one the test is skipped with the reason, or fails when TAF_REQUIRE names cgroup.
func MemoryGroup(t testing.TB, limit int64) (enter string) {
	t.Helper()
	dir, err := memoryGroup(fmt.Sprintf("tafc-test-%d-%d", os.Getpid(), time.Now().UnixNano()), limit)
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("TAF_REQUIRE"), ","), "cgroup") {
			t.Fatalf("no control group can be made, and TAF_REQUIRE demands it: %v", err)
		}
		t.Skipf("no control group can be made: %v", err)
	}
	t.Cleanup(func() {
		for range 50 {
			if os.Remove(dir) == nil {
				return
			}
			time.Sleep(20 * time.Millisecond) // its processes end
		}
	})
	return "echo $$ > " + filepath.Join(dir, "cgroup.procs")
}

// memoryGroup makes a group below our own, of version 1 or 2.
func memoryGroup(name string, limit int64) (string, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(own)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		root, file, swap := "", "", ""
		switch {
		case slices.Contains(strings.Split(fields[1], ","), "memory"):
			root, file, swap = "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"
		case fields[0] == "0" && fields[1] == "":
			root, file, swap = "/sys/fs/cgroup", "memory.max", "memory.swap.max"
		}
		for _, above := range []string{filepath.Join(root, fields[2]), root} {
			if root == "" {
				continue
			}
			dir := filepath.Join(above, name)
			if err = os.Mkdir(dir, 0o755); err != nil {
				continue
			}
			if err = os.WriteFile(filepath.Join(dir, file), fmt.Append(nil, limit), 0o644); err == nil {
				most := limit
				if swap == "memory.swap.max" {
					most = 0
				}
				_ = os.WriteFile(filepath.Join(dir, swap), fmt.Append(nil, most), 0o644) // where swap is counted at all
				return dir, nil
			}
			_ = os.Remove(dir)
		}
	}
	if err == nil {
		err = os.ErrNotExist
	}
	return "", err
}
