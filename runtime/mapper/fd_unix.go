//go:build unix

package mapper

import "syscall"

// closeOnExec keeps a descriptor from the programs that the task starts.
func closeOnExec(fd uintptr) { syscall.CloseOnExec(int(fd)) }
