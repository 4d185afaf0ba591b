package s3

import (
	"context"
	"strings"

	"github.com/tafc/tafc/index"
)

// pruning says which folders of a bucket are listed for a filter, and keeps what was left out. It is used by one worker at a time.
type pruning struct {
	folder  string // what keys are relative to
	layout  *index.Layout
	matcher *index.Matcher
	depth   int  // folders up to this one are looked at one by one, because a condition is on it or on one behind it
	byName  bool // there is a condition on the value that file names begin with
	dims    [][]byte
	skipped index.Skipped
}

func newPruning(folder string, layout *index.Layout, f index.Filter) (*pruning, error) {
	matcher, err := index.NewMatcher(layout, f)
	if err != nil {
		return nil, err
	}
	p := &pruning{folder: folder, layout: layout, matcher: matcher, dims: make([][]byte, len(layout.Dimensions()))}
	literal, named, delimiter, ok := layout.FileName()
	ok = ok && literal == "" && delimiter[len(delimiter)-1] < 0x80 // before cuts off a byte
	for _, terms := range [][]index.Term{f.Where, f.Exclude} {
		for _, t := range terms {
			if t.Op == index.OpAny {
				continue
			}
			if at := layout.FolderOf(t.Dimension); at < layout.Folders() {
				p.depth = max(p.depth, at+1)
			}
			p.byName = p.byName || ok && t.Dimension == named
		}
	}
	return p, nil
}

// first is the segment that the listing begins with.
func (p *pruning) first() *segment { return &segment{prefix: p.folder, mode: p.modeOf(p.folder)} }

// modeOf is how a folder is listed that the filter does not refuse.
func (p *pruning) modeOf(folder string) mode {
	level := strings.Count(folder[len(p.folder):], "/")
	switch {
	case level < p.depth:
		return walk
	case p.byName && level == p.layout.Folders():
		return names
	}
	return all
}

// admits tells whether something in a folder can match; what cannot is put down.
func (p *pruning) admits(folder string) bool {
	known, fits := p.layout.MatchFolder([]byte(folder[len(p.folder):]), p.dims)
	if !fits {
		p.skipped.UnparsedPrefixes++
		return false
	}
	return p.admitsValues(known)
}

func (p *pruning) admitsValues(known int) bool {
	values := make([]string, known)
	for i := range values {
		values[i] = string(p.dims[i])
	}
	if p.matcher.MayMatch(values) {
		return true
	}
	p.skipped.Groups = append(p.skipped.Groups, index.Group{Values: values, Files: index.Unlisted})
	return false
}

// admitsName tells whether a file can match whose folder and first value of the name are in prefix.
func (p *pruning) admitsName(prefix string) bool {
	slash := strings.LastIndexByte(prefix, '/') + 1
	known, fits := p.layout.MatchFolder([]byte(prefix[min(len(p.folder), slash):slash]), p.dims)
	if !fits {
		return true // there is a slash in the name: the files tell
	}
	_, _, delimiter, _ := p.layout.FileName()
	p.dims[known] = []byte(strings.TrimSuffix(prefix[slash:], delimiter))
	return p.admitsValues(known + 1)
}

// descend lists one level of folders and makes segments of those that the filter does not refuse. Files that lie between
// them do not fit the layout; they are there for free, so they are told.
func (l *listing) descend(ctx context.Context, s *segment) error {
	token, at := "", s
	for {
		p, err := l.api.list(ctx, request{prefix: s.prefix, delimiter: "/", token: token})
		if err != nil {
			return err
		}
		l.mu.Lock()
		var folders []string
		for _, f := range p.prefixes {
			if l.plan.admits(f) {
				folders = append(folders, f)
			}
		}
		parts := l.runs(folders, p)
		for _, part := range parts {
			at.insert(part)
			at = part
		}
		token = p.next
		s.pages = append(s.pages, &page{objects: p.objects})
		l.buffered++
		s.done = token == ""
		l.changed.Broadcast()
		l.mu.Unlock()
		if token == "" {
			return nil
		}
	}
}

// runs makes segments of folders. Many that follow one another become one, so that many small folders do not cost a
// request each: they need not be looked at one by one, and nothing else is between them.
func (l *listing) runs(folders []string, p *page) []*segment {
	size := (len(folders) + l.workers - 1) / max(l.workers, 1)
	var parts []*segment
	admitted := map[string]bool{}
	for _, f := range folders {
		admitted[f] = true
	}
	run := 0
	last := ""
	for i, f := range p.prefixes {
		if !admitted[f] {
			run = 0
			continue
		}
		mode := l.plan.modeOf(f)
		if mode == all && run > 0 && run < size && last == p.prefixes[i-1] && len(p.objects) == 0 {
			part := parts[len(parts)-1]
			part.prefix = parent(f)
			if run == 1 {
				part.after = before(last)
			}
			part.end = folderEnd(f)
			run++
		} else {
			parts = append(parts, &segment{prefix: f, mode: mode, patience: 1})
			run = 1
		}
		last = f
	}
	return parts
}

// parent is the folder that a folder lies in.
func parent(folder string) string {
	return folder[:strings.LastIndexByte(folder[:len(folder)-1], '/')+1]
}

// byNames goes on with a folder of which the first page is listed: it finds out which first values the names of the other files have, and leaves
// out those that the filter refuses.
func (l *listing) byNames(ctx context.Context, s *segment) error {
	_, _, delimiter, _ := l.plan.layout.FileName()
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
		s.done = !l.plan.admitsName(own)
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
		if !l.plan.admitsName(f) {
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
