//go:build unix

package mapper

import (
	"os"
	"syscall"
)

// closeOnExec keeps a descriptor from the programs that the task starts.
func closeOnExec(fd uintptr) { syscall.CloseOnExec(int(fd)) }

// openPipe opens a named pipe for writing; nil when nobody reads it, who must not be waited for.
func openPipe(path string) *os.File {
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	return f
}
