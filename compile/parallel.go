package compile

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls fn for the numbers from 0 up to n, in portions of at most grain, by as many goroutines as there are cores.
func parallel(n, grain int, fn func(from, to int)) {
	workers := min(runtime.GOMAXPROCS(0), (n+grain-1)/grain)
	if workers < 2 {
		if n > 0 {
			fn(0, n)
		}
		return
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for {
				to := int(next.Add(int64(grain)))
				if to-grain >= n {
					return
				}
				fn(to-grain, min(to, n))
			}
		})
	}
	group.Wait()
}
