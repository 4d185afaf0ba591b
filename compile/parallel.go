package compile

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel has as many workers as there are cores do the work with the numbers from 0 up to n. A worker gets next, which returns one
// number after the other, and -1 when there are none left.
func parallel(n int, worker func(next func() int)) {
	var done atomic.Int64
	next := func() int {
		if i := int(done.Add(1)) - 1; i < n {
			return i
		}
		return -1
	}
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		group.Go(func() { worker(next) })
	}
	group.Wait()
}
