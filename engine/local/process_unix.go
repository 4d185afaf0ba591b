//go:build linux || darwin

package local

import (
	"os"
	"syscall"
)

// supported tells why tasks cannot run here.
func supported() error { return nil }

// killGroup ends a process group at once, stopGroup asks it to end. That it is gone already is no error.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
func stopGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGTERM) }

func killedBySignal(s *os.ProcessState) bool {
	w, ok := s.Sys().(syscall.WaitStatus)
	return ok && w.Signaled() && w.Signal() == syscall.SIGKILL
}
