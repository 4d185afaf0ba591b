package s3

import (
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

// choose is how a folder is listed.
func (p *pruning) choose(folder string) mode {
	if !p.admits(folder) {
		return none
	}
	return p.modeOf(folder)
}

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
