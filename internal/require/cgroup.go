package require

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tafc/tafc/internal/cgroup"
)

// MemoryGroup makes a control group whose processes the kernel kills when they take more than limit bytes together. It goes away with the test.
// Without the right to make one the test is skipped with the reason, or fails when TAF_REQUIRE names cgroup.
func MemoryGroup(t testing.TB, limit int64) *cgroup.Group {
	t.Helper()
	g, err := cgroup.New(fmt.Sprintf("tafc-test-%d-%d", os.Getpid(), time.Now().UnixNano()), limit)
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("TAF_REQUIRE"), ","), "cgroup") {
			t.Fatalf("no control group can be made, and TAF_REQUIRE demands it: %v", err)
		}
		t.Skipf("no control group can be made: %v", err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}
