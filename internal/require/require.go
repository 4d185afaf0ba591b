package require

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Tool returns the path of a program. Without the program the test is skipped with the reason, or fails when the
// environment variable TAF_REQUIRE (a comma-separated list) names it.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if slices.Contains(strings.Split(os.Getenv("TAF_REQUIRE"), ","), name) {
		t.Fatalf("%s is not installed, and TAF_REQUIRE demands it", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}
