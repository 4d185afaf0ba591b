package tctest

import (
	"sync"
	"time"
)

// Clock tells the time of the double. The zero value is the computer's clock; it can be moved, and it can stand still.
type Clock struct {
	mu     sync.Mutex
	offset time.Duration
	fixed  time.Time
	still  bool
}

// StillClock is a clock that shows at until it is moved.
func StillClock(at time.Time) *Clock { return &Clock{fixed: at, still: true} }

// Now is the time on this clock, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.still {
		return c.fixed.UTC()
	}
	return time.Now().Add(c.offset).UTC()
}

// Advance moves the clock. What is due by then happens at the next call that the server answers.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
	c.fixed = c.fixed.Add(d)
}

// Set moves the clock to at; a running one runs on from there.
func (c *Clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fixed = at
	c.offset = time.Until(at)
}

const stampLayout = "2006-01-02T15:04:05.000Z"

// stamp writes a time as the services do: UTC, milliseconds, digits beyond dropped.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(stampLayout)
}

// parseStamp reads an RFC 3339 time to the millisecond.
func parseStamp(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, s)
	return t.UTC().Truncate(time.Millisecond), err == nil
}
