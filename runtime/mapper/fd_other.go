//go:build !unix

package mapper

func closeOnExec(uintptr) {}
