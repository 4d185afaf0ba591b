package usercode

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxrssUnit is the unit of rusage's maxrss in bytes.
const maxrssUnit = 1024

// processGroup puts a child into a group of its own and has it end with us.
func processGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// enlarge makes a pipe hold a block. It is only for speed, so that a refusal (the user's pipes are too many) is no error.
func enlarge(f *os.File) {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, frameSize) })
}

// fionread asks for the number of bytes in a pipe.
const fionread = unix.TIOCINQ
