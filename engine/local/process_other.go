//go:build !linux && !darwin

package local

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// supported tells why tasks cannot run here.
func supported() error {
	return fmt.Errorf("tasks do not run on %s: use Linux (also in WSL) or macOS; plans, states and results can be read here", runtime.GOOS)
}

func isolate(*exec.Cmd)                    {}
func awaitExit(int)                        {}
func identity(int) string                  { return "" }
func marked(string) []int                  { return nil }
func oomKills() int64                      { return 0 }
func killGroup(int)                        {}
func stopGroup(int)                        {}
func makePipe(string) (*os.File, error)    { return nil, errors.New("there are no named pipes here") }
func killedBySignal(*os.ProcessState) bool { return false }
