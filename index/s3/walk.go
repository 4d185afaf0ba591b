package s3

import (
	"context"
	"strings"

	"github.com/tafc/tafc/index"
)

// plan says how each folder is listed. It is used by one worker at a time.
type plan interface {
	choose(folder string) mode
}

// visits is the plan of ScanFolders.
type visits struct {
	folder string // what keys are relative to
	visit  func(string) index.Visit
}

func (v visits) choose(folder string) mode {
	switch v.visit(folder[len(v.folder):]) {
	case index.VisitNot:
		return none
	case index.VisitInside:
		return walk
	}
	return all
}

// descend lists one level of folders and makes segments of those that the plan wants. The files between them
// come with it.
func (l *listing) descend(ctx context.Context, s *segment) error {
	token, at := "", s
	for {
		p, err := l.api.list(ctx, request{prefix: s.prefix, delimiter: "/", token: token})
		if err != nil {
			return err
		}
		l.mu.Lock()
		for _, part := range l.runs(p) {
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
func (l *listing) runs(p *page) []*segment {
	modes := make([]mode, len(p.prefixes))
	wanted := 0
	for i, f := range p.prefixes {
		if modes[i] = l.plan.choose(f); modes[i] != none {
			wanted++
		}
	}
	size := (wanted + l.workers - 1) / l.workers
	var parts []*segment
	run := 0 // how many folders the last part has, when this one could be the next
	for i, f := range p.prefixes {
		switch {
		case modes[i] == none:
			run = 0
		case modes[i] == all && run > 0 && run < size && len(p.objects) == 0:
			part := parts[len(parts)-1]
			if run == 1 {
				part.prefix, part.after = parent(f), before(p.prefixes[i-1])
			}
			part.end = folderEnd(f)
			run++
		default:
			parts = append(parts, &segment{prefix: f, mode: modes[i], patience: 1})
			if run = 1; modes[i] != all {
				run = 0
			}
		}
	}
	return parts
}

// parent is the folder that a folder lies in.
func parent(folder string) string {
	return folder[:strings.LastIndexByte(folder[:len(folder)-1], '/')+1]
}
