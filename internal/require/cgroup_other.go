//go:build !linux

package require

import "testing"

// MemoryGroup skips the test: only Linux has control groups.
func MemoryGroup(t testing.TB, _ int64) (enter string) {
	t.Helper()
	t.Skip("only Linux has control groups")
	return ""
}
