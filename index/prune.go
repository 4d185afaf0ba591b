package index

import (
	"bytes"
	"context"
	"fmt"
	"slices"
)

// Pruner is a Source that can find the files of a filter without listing all others: a bucket leaves out folders, a database
// has a WHERE. Select prefers it.
//
// What such a source holds can change while it is read, and finding out whether it did would cost a whole listing. The revision
// of a selection from it is therefore a digest of the matching files, and only the same selection again tells whether it
// still holds (Selection.Live).
type Pruner interface {
	Source

	// DetectLayout is the built-in layout that the keys have, judged by some of them, or nil. Select asks when neither the
	// caller nor Source.Layout names one.
	DetectLayout(ctx context.Context) (*Layout, error)

	// ScanMatching calls fn for each file that the filter may match, in any order, never two calls at a time. It may yield files
	// that the filter refuses: Select filters again. All other files are told in what it returns; when that is incomplete, it is
	// an error. A File has Dims when the source itself knows the values of the layout's dimensions. It stops at the first
	// error of fn and returns it. What is wrong with the filter is found by Select before it calls this.
	ScanMatching(ctx context.Context, layout *Layout, f Filter, fn func(File) error) (Skipped, error)
}

// Skipped is what a Pruner did not yield. The zero value means that it yielded all files.
type Skipped struct {
	Groups []Group
	Totals *Totals // instead of Groups, from a source that can count without listing

	// Keys that do not fit the layout, and some of them.
	Unparsed       int
	UnparsedSample []string
	// Folders that were not listed because no key in them can fit the layout.
	UnparsedPrefixes int

	// Uncounted means that the source left out files that the filter refuses, and cannot tell how many.
	Uncounted bool
}

// Group is files that a filter refuses by the values that they have in common.
type Group struct {
	Values []string // of the first dimensions of the layout, in its order; the values of the others are not known
	Files  int      // how many, or Unlisted
}

// Totals are counts over all files whose dimensions are known, those that were yielded included.
type Totals struct {
	Files  int
	Values [][]ValueCount // by dimension, in any order
	Left   []int          // by term of Filter.Where: the files for which it and all before it hold
}

// Unlisted is the number of files of a folder that was not listed.
const Unlisted = -1

// Matcher tells what a filter makes of files of which only the first dimensions are known, as those of a folder are.
// It is not safe for concurrent use.
type Matcher struct {
	where, exclude []matcherTerm
}

type matcherTerm struct {
	dim   int
	test  func(string) bool
	known map[string]bool // patterns are slow, and values come again and again
}

// NewMatcher compiles a filter. What is wrong with it is an *UnknownDimensionError or a *ConditionError.
func NewMatcher(layout *Layout, f Filter) (*Matcher, error) {
	m := &Matcher{}
	for _, list := range []struct {
		from []Term
		to   *[]matcherTerm
	}{{f.Where, &m.where}, {f.Exclude, &m.exclude}} {
		for _, t := range list.from {
			dim := slices.Index(layout.dimensions, t.Dimension)
			if dim < 0 {
				return nil, &UnknownDimensionError{Name: t.Dimension, Known: layout.Dimensions()}
			}
			test, err := compileTerm(t, f.AsService)
			if err != nil {
				return nil, err
			}
			*list.to = append(*list.to, matcherTerm{dim, test, map[string]bool{}})
		}
	}
	return m, nil
}

// MayMatch tells whether a file can match whose first dimensions have these values. It is exact when all values are given.
func (m *Matcher) MayMatch(values []string) bool {
	for i := range m.where {
		if t := &m.where[i]; t.dim < len(values) && !t.holds(values[t.dim]) {
			return false
		}
	}
	for i := range m.exclude {
		if t := &m.exclude[i]; t.dim >= len(values) || !t.holds(values[t.dim]) {
			return true
		}
	}
	return len(m.exclude) == 0
}

func (t *matcherTerm) holds(value string) bool {
	ok, known := t.known[value]
	if !known {
		ok = t.test(value)
		t.known[value] = ok
	}
	return ok
}

// selectPruned is Select for a source that can leave out what the filter refuses.
func selectPruned(ctx context.Context, src Pruner, layout *Layout, f Filter) (*selector, error) {
	if layout == nil {
		var err error
		if layout, err = src.DetectLayout(ctx); err != nil {
			return nil, fmt.Errorf("read index %s: %w", src, err)
		}
	}
	s, err := newSelector(src.String(), layout, f, &builder{})
	if err != nil {
		return nil, err
	}
	s.live, s.ofSource = &f, true
	if layout == nil {
		return s, scan(ctx, src.String(), src.Scan, s.add)
	}
	skipped, err := src.ScanMatching(ctx, layout, f, s.add)
	if err != nil {
		return nil, fmt.Errorf("read index %s: %w", src, err)
	}
	return s, s.addSkipped(skipped)
}

// addSkipped counts what the source did not yield.
func (s *selector) addSkipped(skipped Skipped) error {
	s.count()
	for _, g := range skipped.Groups {
		if err := s.addGroup(g); err != nil {
			return err
		}
	}
	if skipped.Totals != nil {
		if err := s.setTotals(skipped.Totals); err != nil {
			return err
		}
	}
	s.total += skipped.Unparsed
	s.unparsed += skipped.Unparsed
	s.unlisted += skipped.UnparsedPrefixes
	if skipped.Uncounted {
		s.unlisted = Unlisted
	}
	for _, key := range skipped.UnparsedSample {
		s.addSample(key)
	}
	return nil
}

// setTotals replaces the counts by those of the source.
func (s *selector) setTotals(totals *Totals) error {
	if last := len(s.where) - 1; len(s.exclude) == 0 && last >= 0 && totals.Left[last] != s.where[last].left {
		return fmt.Errorf("read index %s: it counts %d files that match and lists %d; this is a bug of tafc, or the index was changed while it was read",
			s.source, totals.Left[last], s.where[last].left)
	}
	s.total = totals.Files + s.unparsed
	for d, values := range totals.Values {
		in := s.dims[d]
		for _, v := range values {
			in.counts[in.intern([]byte(v.Value))] = v.Files
		}
	}
	for i, t := range s.where {
		t.left = totals.Left[i]
	}
	return nil
}

// addGroup counts the files of a group for each condition up to the one that refuses them.
func (s *selector) addGroup(g Group) error {
	if g.Files == Unlisted {
		s.unlisted++
	} else {
		s.total += g.Files
	}
	for d, value := range g.Values {
		in := s.dims[d]
		s.ids[d] = in.intern([]byte(value))
		in.counts[s.ids[d]] += max(g.Files, 0)
	}
	for _, t := range s.where {
		switch {
		case t.dim >= len(g.Values):
		case !t.ok[s.ids[t.dim]]:
			if g.Files == Unlisted {
				t.unlisted++
			}
			return nil
		case g.Files != Unlisted:
			t.left += g.Files
		}
	}
	excluded := len(s.exclude) > 0
	for _, t := range s.exclude {
		excluded = excluded && t.dim < len(g.Values) && t.ok[s.ids[t.dim]]
	}
	if !excluded {
		return fmt.Errorf("read index %s: it left out files that the filter does not refuse (%q); this is a bug of tafc", s.source, g.Values)
	}
	if g.Files == Unlisted {
		s.excludeUnlisted++
	}
	return nil
}

// liveRevision is the digest of what was selected.
func (s *selector) liveRevision(table *Table) string {
	digest := NewDigest()
	var f File
	var buf []byte
	for i := range table.Len() {
		f, buf = table.file(i, buf)
		digest.Add(f)
		if s.columns {
			for d := range s.dims {
				digest.addText(table.Dim(i, d))
			}
		}
	}
	return digest.String()
}

// MatchFolder is Match for the beginning of a key that ends with a slash: it puts the values of the dimensions that the folders tell
// into dims, which has room for all, and returns how many of the first dimensions these are. It does not fit when no key that begins so fits.
func (l *Layout) MatchFolder(prefix []byte, dims [][]byte) (known int, fits bool) {
	at := 0
	for i := 0; at < len(prefix); i++ {
		end := at + bytes.IndexByte(prefix[at:], '/')
		if end < at || i >= len(l.components)-1 || !l.components[i].match(prefix[at:end], dims) {
			return 0, false
		}
		for _, d := range l.components[i].holes {
			if d != rest {
				known++
			}
		}
		at = end + 1
	}
	return known, true
}
