//go:build linux || darwin || freebsd

package local

import "golang.org/x/sys/unix"

// freeSpace is how many bytes this user can still write where a folder is. known is false when the system does not say.
func freeSpace(dir string) (bytes uint64, known bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return uint64(s.Bavail) * uint64(s.Bsize), true
}
