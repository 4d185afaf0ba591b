package local

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// isolate puts a task into a process group of its own and has the kernel ask it to end when its parent dies. It is asked, not
// killed, so that it can end the user's program first; the lifeline says the same.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// awaitExit waits until a child has ended, without freeing its process id.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// identity tells a process from all others with the same id: the boot and the time of its start. Empty when there is none.
func identity(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The name in parentheses may hold anything; the fields after it start with the third.
	_, after, ok := strings.Cut(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " ")
	fields := strings.Fields(after)
	if !ok || len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + "/" + fields[19]
}

// marked finds the processes that carry the mark of this folder or of one in it.
func marked(root string) []int {
	var pids []int
	names, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return nil
	}
	for _, name := range names {
		env, err := os.ReadFile(name)
		if err != nil {
			continue // not ours, or gone
		}
		for _, v := range bytes.Split(env, []byte{0}) {
			dir, ok := strings.CutPrefix(string(v), markVariable+"=")
			if ok && (dir == root || strings.HasPrefix(dir, root+"/")) {
				pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
				if err == nil && pid != os.Getpid() {
					pids = append(pids, pid)
				}
				break
			}
		}
	}
	return pids
}

// oomKills counts the processes that the kernel killed for want of memory since it started.
func oomKills() int64 {
	stat, err := os.ReadFile("/proc/vmstat")
	if err != nil {
		return 0
	}
	_, after, ok := strings.Cut(string(stat), "\noom_kill ")
	if !ok {
		return 0
	}
	line, _, _ := strings.Cut(after, "\n")
	n, err := strconv.ParseInt(line, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
