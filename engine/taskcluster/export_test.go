package taskcluster

import "time"

// SetAfter replaces the clock that the watch waits by.
func (e *Engine) SetAfter(after func(time.Duration) <-chan time.Time) { e.after = after }
