package s3test

import (
	"os/exec"
	"syscall"
)

// endWithParent ends the server when the test is killed.
func endWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
