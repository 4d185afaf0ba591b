package s3

import (
	"context"
	"strings"
)

// byNames goes on with a folder of which the first page is listed: it finds out which first values the names of the other files have, and leaves
// out those that the filter refuses.
func (l *listing) byNames(ctx context.Context, s *segment) error {
	_, _, delimiter, _ := l.plan.(*pruning).layout.FileName()
	l.mu.Lock()
	now := *s
	l.mu.Unlock()
	own := ""
	name := strings.TrimPrefix(now.after, now.prefix)
	if value, _, ok := strings.Cut(name, delimiter); ok && !strings.Contains(value, "/") {
		own = now.prefix + value + delimiter
	}
	var prefixes []string
	var loose []object // files without such a value
	for r := (request{prefix: now.prefix, after: now.after, delimiter: delimiter}); own != ""; {
		p, err := l.api.list(ctx, r)
		if err != nil {
			return err
		}
		for _, f := range p.prefixes {
			if f > now.after {
				prefixes = append(prefixes, f)
			}
		}
		loose = append(loose, p.objects...)
		if r.token = p.next; r.token == "" {
			break
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if own != "" {
		s.prefix, s.end = own, folderEnd(own)
		s.done = !l.plan.(*pruning).admitsName(own)
		s.pages = append(s.pages, &page{objects: loose})
		l.buffered++
		s.insert(l.nameRuns(prefixes, now.prefix, len(loose) == 0)...)
	}
	s.splitting = false
	l.changed.Broadcast()
	return nil
}

// nameRuns makes segments of the beginnings of names that the filter does not refuse: one of those that follow one another,
// when there is nothing else between them.
func (l *listing) nameRuns(prefixes []string, folder string, only bool) []*segment {
	var parts []*segment
	run := false
	for _, f := range prefixes {
		if !l.plan.(*pruning).admitsName(f) {
			run = false
			continue
		}
		if run && only {
			last := parts[len(parts)-1]
			last.prefix, last.end = folder, folderEnd(f)
		} else {
			parts = append(parts, &segment{prefix: f, after: before(f), patience: 2})
		}
		run = true
	}
	return parts
}
