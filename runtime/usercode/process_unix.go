//go:build unix

package usercode

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// killGroup kills all processes of a group; that there is none any more is no error.
func killGroup(leader int) { _ = syscall.Kill(-leader, syscall.SIGKILL) }

// groupAlive tells whether a group has processes.
func groupAlive(leader int) bool { return syscall.Kill(-leader, 0) == nil }

// unread is how many bytes nobody has read from the pipe with this reading end.
func unread(f *os.File) int {
	n := 0
	raw, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), fionread) })
	return n
}
