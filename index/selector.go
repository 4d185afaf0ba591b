package index

import (
	"bytes"
	"slices"
	"strings"
)

// unparsedSamples is how many keys that do not fit the layout a Selection names.
const unparsedSamples = 10

// selector does the work of one Select.
type selector struct {
	source  string
	layout  *Layout
	dims    []*interner
	where   []*term
	exclude []*term

	table    *Table
	total    int
	unparsed int
	sample   []string
	bytes    int64
	sorted   bool
	last     []byte // the key before this one

	live            *Filter // what is selected when the source is a Pruner, else nil
	columns         bool    // some file had its dimensions with it
	unlisted        int     // folders, also those that no term refused
	excludeUnlisted int     // those that the exclude terms refused

	values [][]byte // of the current key
	ids    []uint32
}

// term is a condition with what it said about each value so far.
type term struct {
	Term
	dim  int
	test func(string) bool
	left int    // files for which this and all terms before it hold
	ok   []bool // by id

	unlisted int // folders that it refused
}

// interner numbers the values of one dimension, in the order in which they come.
type interner struct {
	ids    map[string]uint32
	values []string
	counts []int
	terms  []*term // that are about this dimension
	last   uint32  // neighbouring keys often have the same value
}

func newSelector(source string, layout *Layout, f Filter) (*selector, error) {
	s := &selector{source: source, layout: layout, sorted: true}
	var names []string
	if layout != nil {
		names = layout.dimensions
	}
	s.table = newTable(names)
	s.values, s.ids = make([][]byte, len(names)), make([]uint32, len(names))
	for range names {
		s.dims = append(s.dims, &interner{ids: map[string]uint32{}})
	}
	var err error
	if s.where, err = s.terms(f.Where, f.AsService); err != nil {
		return nil, err
	}
	if s.exclude, err = s.terms(f.Exclude, f.AsService); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *selector) terms(list []Term, asService bool) ([]*term, error) {
	var terms []*term
	for _, t := range list {
		if s.layout == nil {
			return nil, &NoLayoutError{Source: s.source, Dimension: t.Dimension}
		}
		dim := slices.Index(s.layout.dimensions, t.Dimension)
		if dim < 0 {
			return nil, &UnknownDimensionError{Name: t.Dimension, Known: s.layout.Dimensions()}
		}
		test, err := compileTerm(t, asService)
		if err != nil {
			return nil, err
		}
		compiled := &term{Term: t, dim: dim, test: test}
		s.dims[dim].terms = append(s.dims[dim].terms, compiled)
		terms = append(terms, compiled)
	}
	return terms, nil
}

// add looks at one file.
func (s *selector) add(f File) error {
	s.total++
	if s.total > 1 {
		switch bytes.Compare(s.last, f.Key) {
		case 0:
			return &DuplicateKeyError{Source: s.source, Key: string(f.Key)}
		case +1:
			s.sorted = false
		}
	}
	s.last = append(s.last[:0], f.Key...)

	if s.layout != nil {
		values := f.Dims
		if values != nil {
			s.columns = true
		} else if values = s.values; !s.layout.Match(f.Key, values) {
			s.addUnparsed(f.Key)
			return nil
		}
		for d, value := range values {
			s.ids[d] = s.dims[d].intern(value)
		}
		if !s.matches() {
			return nil
		}
	}
	if f.Size > 0 {
		s.bytes += f.Size
	}
	s.table.add(f, s.ids)
	return nil
}

// matches evaluates the filter for the current ids.
func (s *selector) matches() bool {
	for _, t := range s.where {
		if !t.ok[s.ids[t.dim]] {
			return false
		}
		t.left++
	}
	if len(s.exclude) == 0 {
		return true
	}
	for _, t := range s.exclude {
		if !t.ok[s.ids[t.dim]] {
			return true
		}
	}
	return false
}

// addUnparsed keeps the smallest keys as the sample, so that it does not depend on the order of the source.
func (s *selector) addUnparsed(key []byte) {
	s.unparsed++
	if len(s.sample) < unparsedSamples || string(key) < s.sample[unparsedSamples-1] {
		s.addSample(string(key))
	}
}

func (s *selector) addSample(key string) {
	at, _ := slices.BinarySearch(s.sample, key)
	s.sample = slices.Insert(s.sample, at, key)
	s.sample = s.sample[:min(len(s.sample), unparsedSamples)]
}

func (in *interner) intern(value []byte) uint32 {
	if len(in.values) > 0 && in.values[in.last] == string(value) {
		in.counts[in.last]++
		return in.last
	}
	id, known := in.ids[string(value)]
	if !known {
		id = uint32(len(in.values))
		text := string(value)
		in.ids[text] = id
		in.values = append(in.values, text)
		in.counts = append(in.counts, 0)
		for _, t := range in.terms {
			t.ok = append(t.ok, t.test(text))
		}
	}
	in.counts[id]++
	in.last = id
	return id
}

// finish sorts what needs it and puts the Selection together.
func (s *selector) finish(revision, root string) (*Selection, error) {
	if !s.sorted {
		s.table.sort()
		if key, found := s.table.duplicate(); found {
			return nil, &DuplicateKeyError{Source: s.source, Key: key}
		}
	}
	sel := &Selection{
		Source: s.source, Revision: revision, Layout: s.layout, Root: root,
		Files: s.table, Total: s.total, Bytes: s.bytes, Unparsed: s.unparsed, UnparsedSample: s.sample,
		Unlisted: s.unlisted, Live: s.live,
	}
	for _, t := range s.where {
		if t.Op != OpAny {
			sel.Funnel = append(sel.Funnel, Step{Dimension: t.Dimension, Left: t.left, Unlisted: t.unlisted})
		}
	}
	if len(s.exclude) > 0 {
		sel.Funnel = append(sel.Funnel, Step{Dimension: "exclude", Left: s.table.Len(), Unlisted: s.excludeUnlisted})
	}
	for d, in := range s.dims {
		sel.Dimensions = append(sel.Dimensions, Dimension{Name: s.table.dimensions[d], Values: in.sort(s.table, d)})
	}
	if s.live != nil {
		sel.Revision = s.liveRevision()
	}
	return sel, nil
}

// sort renumbers the values so that the numbers have the order of the values.
func (in *interner) sort(t *Table, d int) []ValueCount {
	order := make([]uint32, len(in.values))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return strings.Compare(in.values[a], in.values[b]) })
	renamed := make([]uint32, len(order))
	t.values[d] = make([]string, len(order))
	counts := make([]ValueCount, len(order))
	for to, from := range order {
		renamed[from] = uint32(to)
		t.values[d][to] = in.values[from]
		counts[to] = ValueCount{Value: in.values[from], Files: in.counts[from]}
	}
	for i := d; i < len(t.ids); i += len(t.dimensions) {
		t.ids[i] = renamed[t.ids[i]]
	}
	return counts
}
