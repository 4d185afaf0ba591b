package job

import (
	"cmp"
	"slices"
)

// Covered is what results of earlier tasks stand for together.
func Covered(ups []Upstream) Ledger {
	var l Ledger
	for i, u := range ups {
		l.Cover(u.Covers, u.Whole && i > 0)
	}
	return l
}

// Cover adds what another result of the same stage stands for. With whole both stand for the same files, of which nothing is
// counted twice: then the joint result stands for what neither of them has lost.
func (l *Ledger) Cover(o Ledger, whole bool) {
	if !whole {
		l.Add(o)
		return
	}
	less, more := *l, o
	if o.Files.Done < l.Files.Done || o.Files.Done == l.Files.Done && o.Records.Read < l.Records.Read {
		less, more = o, *l
	}
	less.PeakMemory = max(less.PeakMemory, more.PeakMemory)
	known := map[string]bool{}
	for _, f := range less.Files.Losses {
		known[f.Key] = true
	}
	less.Files.Losses = slices.Clone(less.Files.Losses)
	for _, f := range more.Files.Losses {
		if !known[f.Key] {
			known[f.Key] = true
			less.Files.Losses = append(less.Files.Losses, f)
		}
	}
	slices.SortStableFunc(less.Files.Losses, func(x, y FailedFile) int { return cmp.Compare(x.Key, y.Key) })
	less.Files.Failed = min(less.Files.Planned, max(less.Files.Failed, int64(len(less.Files.Losses))))
	less.Files.Done = less.Files.Planned - less.Files.Failed
	*l = less
}
