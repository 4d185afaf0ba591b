package taskcluster

import (
	"testing"
	"time"
)

// However many tasks there are, and whatever happens to them, there are at most two calls a second; when nothing happens, far fewer.
func TestPace(t *testing.T) {
	for _, tasks := range []int{1, 1000, 2000, 10_000, 100_000} {
		p := pace{least: time.Second, most: 15 * time.Second}
		calls := (tasks + 999) / 1000
		for range 10 {
			if d := p.next(tasks, true); float64(calls)/d.Seconds() > 2 || d < time.Second || d > time.Duration(calls)*time.Second {
				t.Errorf("%d tasks of which there is news are looked at again after %s, with %d calls", tasks, d, calls)
			}
		}
		var d time.Duration
		for range 10 {
			d = p.next(tasks, false)
		}
		if want := max(15*time.Second, time.Duration(calls)*time.Second/2); d != want {
			t.Errorf("%d tasks of which there is no news are looked at again after %s, want %s", tasks, d, want)
		}
	}
}
