package engine

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/tafc/tafc/runtime/job"
)

// retry decides whether a failed attempt is followed by another, and after what delay. It notes when that one gets more memory.
func (n *node) retry(e Ended) (time.Duration, bool) {
	policy := n.task.Retry
	if n.attempt >= policy.Attempts || !policy.covers(e) {
		return 0, false
	}
	if e.Report.Cause == job.CauseMemory {
		if n.doubled {
			return 0, false // the same again would not help
		}
		n.doubled = true
	}
	return policy.delay(n.task.Key, n.attempt), true
}

// covers tells whether the policy is about an attempt that ended like this. exit:N means the exit code of the task or, when
// user code failed, that of the user's program.
func (r Retry) covers(e Ended) bool {
	if slices.Contains(r.On, string(e.Report.Cause)) || slices.Contains(r.On, fmt.Sprintf("exit:%d", e.Exit)) {
		return true
	}
	var code int
	if f := e.Report.Failure; f != nil {
		if _, err := fmt.Sscanf(f.Exit, "exit status %d", &code); err == nil {
			return slices.Contains(r.On, fmt.Sprintf("exit:%d", code))
		}
	}
	return false
}

// delay grows by two with each attempt up to MaxDelay. The jitter takes away up to half; it comes from the key, so that
// tasks that failed together come back apart and a run can be repeated.
func (r Retry) delay(key string, attempt int) time.Duration {
	if r.Delay <= 0 {
		return 0
	}
	most := r.MaxDelay
	if most <= 0 {
		most = math.MaxInt64
	}
	d := min(r.Delay, most)
	for i := 1; i < attempt && d < most; i++ {
		if d > most/2 {
			d = most
		} else {
			d *= 2
		}
	}
	h := xxhash.Sum64String(fmt.Sprintf("%s/%d", key, attempt))
	share := float64(h>>11) / (1 << 53) // 0..1
	return d - time.Duration(share*float64(d)/2)
}
