package lang

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tafc/tafc/internal/diag"
)

// policy is what a stage takes over from the top level of the file, where it does not say otherwise.
type policy struct {
	batch    Batch
	retry    Retry
	tolerate Tolerate
}

func defaultPolicy() policy {
	return policy{
		batch: Batch{MaxFiles: 100, MaxSize: 16 << 20},
		retry: Retry{
			Attempts: 3, On: []string{"infrastructure", "download", "memory", "write"},
			Delay: 5 * time.Second, MaxDelay: 2 * time.Minute,
			Download: DownloadRetry{Attempts: 3, Timeout: 5 * time.Minute},
		},
	}
}

// policyOf reads the batch, retry and tolerate blocks of a parent over what applies without them.
func (l *loader) policyOf(parent *block, p policy) policy {
	if b := parent.child("batch"); b != nil {
		p.batch = l.batch(b, p.batch)
	}
	if b := parent.child("retry"); b != nil {
		p.retry = l.retry(b, p.retry)
	}
	if b := parent.child("tolerate"); b != nil {
		p.tolerate = l.tolerate(b, p.tolerate)
	}
	return p
}

// set puts a value where it belongs if there is one.
func set[T any](to *T, value T, ok bool) {
	if ok {
		*to = value
	}
}

func (l *loader) batch(b *block, x Batch) Batch {
	files, ok := l.count(b, "max_files", 1)
	set(&x.MaxFiles, files, ok)
	size, ok := l.size(b, "max_size")
	set(&x.MaxSize, size, ok)
	dims, ranges, ok := l.texts(b, "group_by")
	for i, d := range dims {
		if j := slices.Index(dims, d); j < i {
			l.add(diag.Error("lang/duplicate-name", "Duplicate name",
				fmt.Sprintf("The dimension %q stands twice in group_by. Remove one.", d), ranges[i], diag.WithRelated("first named here", ranges[j])))
		}
	}
	set(&x.GroupBy, dims, ok)
	return x
}

func (l *loader) retry(b *block, x Retry) Retry {
	n, ok := l.count(b, "attempts", 1)
	set(&x.Attempts, n, ok)
	on, ranges, ok := l.texts(b, "on")
	for i, cause := range on {
		if !knownCause(cause) {
			l.add(diag.Error("lang/unknown-cause", "Unknown cause",
				fmt.Sprintf("There is no cause %q to try again on.%s Causes are %s, or exit:N for an exit code from 1 to 255.", cause,
					diag.DidYouMean(cause, retryCauses.words), list(retryCauses.words, "and")), ranges[i]))
			ok = false
		}
	}
	set(&x.On, on, ok)
	delay, delayed := l.duration(b, "delay", 0)
	set(&x.Delay, delay, delayed)
	most, capped := l.duration(b, "max_delay", 0)
	switch {
	case capped && most < x.Delay:
		l.add(diag.Error("lang/out-of-range", "Value out of range",
			fmt.Sprintf("max_delay is %s, but the first delay is %s already. Make max_delay at least as long as delay.", showDuration(most), showDuration(x.Delay)), b.Range("max_delay")))
	case capped:
		x.MaxDelay = most
	default:
		x.MaxDelay = max(x.MaxDelay, x.Delay)
	}
	if d := b.child("download"); d != nil {
		n, ok := l.count(d, "attempts", 1)
		set(&x.Download.Attempts, n, ok)
		timeout, ok := l.duration(d, "timeout", time.Millisecond)
		set(&x.Download.Timeout, timeout, ok)
	}
	return x
}

func knownCause(cause string) bool {
	if code, isExit := strings.CutPrefix(cause, "exit:"); isExit {
		n, err := strconv.Atoi(code)
		return err == nil && n >= 1 && n <= 255 && strconv.Itoa(n) == code
	}
	return slices.Contains(retryCauses.words, cause)
}

func (l *loader) tolerate(b *block, x Tolerate) Tolerate {
	limit, ok := l.limit(b, "bad_records")
	set(&x.BadRecords, limit, ok)
	limit, ok = l.limit(b, "bad_files")
	set(&x.BadFiles, limit, ok)
	limit, ok = l.limit(b, "failed_tasks")
	set(&x.FailedTasks, limit, ok)
	share, ok := l.share(b, "min_coverage")
	set(&x.MinCoverage, share, ok)
	return x
}
