package s3

import (
	"context"
	"sync"
)

// listing lists a part of a bucket with several workers.
type listing struct {
	api     lister
	workers int
	plan    plan // nil: everything is listed

	mu       sync.Mutex
	changed  *sync.Cond
	head     *segment // the first whose pages are not all consumed
	buffered int      // pages that wait for being consumed
	idle     int      // workers without work
	stopped  bool     // the listing has ended, or nobody wants it any more
	err      error
}

// maxBuffered bounds the pages that wait for those before them: about 200 KB each. Only the worker of the first segment
// may go on then.
const maxBuffered = 256

// run calls fn for all objects, in the order of their keys if nothing is pruned, until it returns an error.
func (l *listing) run(ctx context.Context, first *segment, fn func(object) error) error {
	ctx, cancel := context.WithCancel(ctx)
	l.changed = sync.NewCond(&l.mu)
	l.head = first
	var group sync.WaitGroup
	for range l.workers {
		group.Go(func() { l.work(ctx) })
	}
	stop := context.AfterFunc(ctx, func() { l.fail(ctx.Err()) })
	err := l.consume(fn)
	l.fail(err)
	stop()
	cancel()
	group.Wait()
	return err
}

// fail ends the listing. The first error counts; nil means that it is complete.
func (l *listing) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.stopped {
		l.stopped, l.err = true, err
	}
	l.changed.Broadcast()
}

// consume calls fn for what the segments have listed, one after the other.
func (l *listing) consume(fn func(object) error) error {
	for {
		pages, end, err := l.take()
		if end || err != nil {
			return err
		}
		for _, p := range pages {
			for i := range p.objects {
				if err := fn(p.objects[i]); err != nil {
					return err
				}
			}
		}
	}
}

// take waits for the next pages of the first segment.
func (l *listing) take() (pages []*page, end bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.stopped:
			return nil, false, l.err
		case len(l.head.pages) > 0:
			pages, l.head.pages = l.head.pages, nil
			l.buffered -= len(pages)
			l.changed.Broadcast()
			return pages, false, nil
		case l.head.done && l.head.next == nil:
			return nil, true, nil
		case l.head.done:
			l.head = l.head.next
			l.changed.Broadcast()
		default:
			l.changed.Wait()
		}
	}
}

// work does what there is to do until the listing ends.
func (l *listing) work(ctx context.Context) {
	for {
		do := l.next()
		if do == nil {
			return
		}
		if err := do(ctx); err != nil {
			l.fail(err)
			return
		}
	}
}

// next waits for something to do; nil means that there will be nothing more.
func (l *listing) next() func(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.stopped {
		if s := l.waiting(); s != nil {
			s.owned = true
			switch s.mode {
			case walk:
				return func(ctx context.Context) error { return l.descend(ctx, s) }
			default:
				return func(ctx context.Context) error { return l.fill(ctx, s) }
			}
		}
		if s := l.longest(); s != nil {
			s.splitting = true
			return func(ctx context.Context) error { return l.split(ctx, s) }
		}
		l.idle++
		l.changed.Wait()
		l.idle--
	}
	return nil
}

// full tells whether only the first segment may be listed.
func (l *listing) full() bool { return l.buffered >= maxBuffered }

// waiting is the first segment that nobody lists.
func (l *listing) waiting() *segment {
	for s := l.head; s != nil; s = s.next {
		if !s.owned && !s.done {
			return s
		}
		if l.full() {
			return nil
		}
	}
	return nil
}

// longest is the segment that is worth splitting most: it had most pages so far, and more will come.
func (l *listing) longest() *segment {
	var best *segment
	for s := l.head; s != nil && !l.full(); s = s.next {
		long := s.owned && !s.done && s.mode != walk && !s.splitting && !s.solid && s.listed >= max(1, s.patience)
		if long && (best == nil || s.listed > best.listed) {
			best = s
		}
	}
	return best
}

// fill lists a segment page by page. It gives the segment back when too many pages wait for being consumed.
func (l *listing) fill(ctx context.Context, s *segment) error {
	for {
		l.mu.Lock()
		if l.stopped || s.done {
			l.mu.Unlock()
			return nil
		}
		if l.full() && s != l.head {
			s.owned = false
			l.mu.Unlock()
			return nil
		}
		r := s.request()
		l.mu.Unlock()
		p, err := l.api.list(ctx, r)
		if err != nil {
			return err
		}
		l.mu.Lock()
		s.accept(p)
		l.buffered++
		byName := s.mode == names && !s.done
		if byName {
			s.mode = all
			s.splitting = true // it is, but by us
		}
		l.changed.Broadcast()
		l.mu.Unlock()
		if byName {
			if err := l.byNames(ctx, s); err != nil {
				return err
			}
		}
	}
}
