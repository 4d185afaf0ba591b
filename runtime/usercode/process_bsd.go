//go:build unix && !linux

package usercode

import (
	"os"
	"runtime"
	"syscall"
)

// maxrssUnit is the unit of rusage's maxrss in bytes: macOS counts bytes, the others kilobytes.
var maxrssUnit = map[bool]int64{true: 1, false: 1024}[runtime.GOOS == "darwin"]

// processGroup puts a child into a group of its own. Helpers end with us because their input ends.
func processGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// enlarge is for systems where the size of a pipe can be set.
func enlarge(*os.File) {}

// fionread asks for the number of bytes in a pipe.
const fionread = 0x4004667f
