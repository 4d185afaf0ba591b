package local

import (
	"errors"
	"fmt"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// isolate puts a task into a process group of its own. Its lifeline tells it of its parent's death.
func isolate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// awaitExit waits until a child has ended, without freeing its process id.
func awaitExit(pid int) {
	kq, err := unix.Kqueue()
	if err != nil {
		return
	}
	defer unix.Close(kq)
	watch := []unix.Kevent_t{{Ident: uint64(pid), Filter: unix.EVFILT_PROC, Flags: unix.EV_ADD | unix.EV_ONESHOT, Fflags: unix.NOTE_EXIT}}
	got := make([]unix.Kevent_t, 1)
	for {
		// A process that has ended already cannot be watched; that is an error and as good as the event.
		if _, err := unix.Kevent(kq, watch, got, nil); !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// identity tells a process from all others with the same id: the time of its start. Empty when there is none.
func identity(pid int) string {
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(p.Proc.P_pid) != pid {
		return ""
	}
	return fmt.Sprintf("%d.%06d", p.Proc.P_starttime.Sec, p.Proc.P_starttime.Usec)
}

// marked finds nothing: the environment of other processes cannot be read here.
func marked(string) []int { return nil }

// oomKills is always 0: the system does not count them.
func oomKills() int64 { return 0 }
