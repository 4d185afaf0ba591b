package taskcluster

import "time"

// mostStatuses is how many tasks one call asks for.
const mostStatuses = 1000

// pace is how long to wait between two looks at the tasks: the shortest time after a look that found news, and longer and longer up to the
// longest time while there are none. Many tasks take many calls, of which there is at most one for each half of the shortest time: two a
// second, however many tasks there are.
type pace struct {
	least, most time.Duration
	wait        time.Duration
}

// next is how long to wait after a look at so many tasks.
func (p *pace) next(open int, news bool) time.Duration {
	if p.wait = min(p.wait*3/2, p.most); news || p.wait < p.least {
		p.wait = p.least
	}
	calls := (open + mostStatuses - 1) / mostStatuses
	return max(p.wait, time.Duration(calls)*p.least/2)
}
