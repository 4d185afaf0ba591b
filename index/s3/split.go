package s3

import (
	"context"
	"slices"
	"strings"
)

// guesses is how many keys are tried in one attempt to split a segment whose keys have no folders.
const guesses = 4

// split finds a place inside a segment that another worker is listing, so that there is work for more of them.
func (l *listing) split(ctx context.Context, s *segment) error {
	defer func() {
		l.mu.Lock()
		s.splitting = false
		s.patience = s.listed + 3 // what is short soon ends, and splitting it would only cost requests
		l.changed.Broadcast()
		l.mu.Unlock()
	}()
	for range guesses {
		l.mu.Lock()
		now := *s
		l.mu.Unlock()
		if now.done {
			return nil
		}
		var found bool
		var err error
		if now.flat || now.leaf() {
			found, err = l.splitKeys(ctx, s, now)
		} else {
			found, err = l.splitFolders(ctx, s, now)
		}
		if found || err != nil {
			return err
		}
	}
	return nil
}

// splitFolders splits a segment at the folders behind the key that was listed last. It looks at one level: when there is only the
// folder of that key, the next look is inside it. What it learns only says where to split; what there is, the parts list.
func (l *listing) splitFolders(ctx context.Context, s *segment, now segment) (bool, error) {
	p, err := l.api.list(ctx, request{prefix: now.prefix, after: now.after, delimiter: "/"})
	if err != nil {
		return false, err
	}
	own := ""
	if rest, ok := strings.CutPrefix(now.after, now.prefix); ok {
		if slash := strings.IndexByte(rest, '/'); slash >= 0 {
			own = now.after[:len(now.prefix)+slash+1]
		}
	}
	var folders []string
	for _, f := range p.prefixes {
		if f > now.after && f != own && (now.end == "" || before(f) < now.end) {
			folders = append(folders, f)
		}
	}
	var loose bool // files between the folders
	for _, o := range p.objects {
		loose = loose || now.inside(o.key)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.done || s.stale(now) {
		return true, nil
	}
	if len(folders) == 0 {
		if own != "" && !loose && p.next == "" {
			s.prefix = own
		} else {
			s.flat = true
		}
		return false, nil
	}
	parts := cut(folders, now, l.workers, !loose, p.next == "")
	if s.after >= parts[0].after {
		return false, nil // it is in the next folder by now: look again
	}
	s.end = parts[0].after + "\x00"
	if own != "" && !loose {
		s.prefix = own
	}
	s.insert(parts...)
	return true, nil
}

// leaf tells whether the last page had no folders. The next would seldom have some, and looking for them costs a page.
func (s *segment) leaf() bool {
	return strings.HasPrefix(s.first, s.prefix) && strings.LastIndexByte(s.first, '/') < len(s.prefix) && strings.LastIndexByte(s.after, '/') < len(s.prefix)
}

// stale tells whether somebody else has changed the bounds of a segment.
func (s *segment) stale(now segment) bool { return s.end != now.end || s.prefix != now.prefix }

// cut makes at most n segments of folders. Together they hold everything from the first folder to the end of the segment that is split.
func cut(folders []string, of segment, n int, only, complete bool) []*segment {
	// Parts begin one behind the other; only names that no one gives keep folders from that.
	last := ""
	distinct := slices.DeleteFunc(slices.Clone(folders), func(f string) bool {
		follows := before(f) > last
		last = max(last, before(f))
		return !follows
	})
	only = only && len(distinct) == len(folders)
	folders = distinct
	size := (len(folders) + n - 1) / n
	var parts []*segment
	for at := 0; at < len(folders); at += size {
		part := &segment{prefix: of.prefix, after: before(folders[at]), patience: 3}
		if last := at+size >= len(folders); last {
			part.end = of.end
			if size == 1 && only && complete {
				part.prefix = folders[at]
			}
		} else {
			part.end = before(folders[at+size]) + "\x00"
			if size == 1 && only {
				part.prefix = folders[at]
			}
		}
		parts = append(parts, part)
	}
	return parts
}

// splitKeys splits a segment between two keys by a guess. The guess is a page of the part behind it, so it is only lost when
// there is nothing; then the segment ends there.
func (l *listing) splitKeys(ctx context.Context, s *segment, now segment) (bool, error) {
	from := max(len(now.prefix), common(now.first, now.after)-1-now.bold)
	guess, ok := between(now.after, now.end, from)
	if !ok {
		l.mu.Lock()
		s.solid = true
		l.mu.Unlock()
		return true, nil
	}
	p, err := l.api.list(ctx, request{prefix: now.prefix, after: guess})
	if err != nil {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.done || s.after > guess || s.stale(now) {
		return true, nil
	}
	right := &segment{prefix: now.prefix, after: guess, end: now.end, flat: true, bold: now.bold + 1, patience: 3}
	right.accept(p)
	s.end, s.bold = guess+"\x00", 0
	if len(p.objects) == 0 {
		return false, nil
	}
	l.buffered++
	s.insert(right)
	return true, nil
}

// common is how many bytes two texts begin with alike.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
