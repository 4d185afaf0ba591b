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

// makePipe makes a named pipe and opens it so that neither side waits for the other.
func makePipe(path string) (*os.File, error) {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
}

func killedBySignal(s *os.ProcessState) bool {
	w, ok := s.Sys().(syscall.WaitStatus)
	return ok && w.Signaled() && w.Signal() == syscall.SIGKILL
}
