package index

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
)

// unparsedSamples is how many keys that do not fit the layout a Selection names.
const unparsedSamples = 10

// selector does the work of one Select, or of one part of it.
type selector struct {
	source  string
	layout  *Layout
	dims    []*interner
	where   []*term
	exclude []*term

	rows     sink
	earlier  []sink // of parts that were merged into this one
	total    int
	unparsed int
	sample   []string
	bytes    int64
	sorted   bool
	first    []byte // key
	last     []byte // the key before this one

	limit int // Filter.Limit

	live            *Filter // what is selected when the source is a Pruner, else nil
	ofSource        bool    // the layout is that of the source, so that File.Dims are its values
	columns         bool    // some file had its dimensions with it
	unlisted        int     // folders, also those that no term refused
	excludeUnlisted int     // those that the exclude terms refused

	// Neighbouring keys mostly have the same values, so what follows of values is found once for a run of them.
	folder     []byte // of the key before this one, with its slash
	folderFits bool   // whether the folder fits the layout
	read       [][]byte
	values     [][]byte // of the run
	ids        []uint32 // of values
	passed     int      // how many of the where terms hold
	selected   bool
	combo      uint32
	run        int // files of the run that are not counted yet
}

// sink takes the files that match.
type sink interface {
	// combination notes the values that the next files have.
	combination(ids []uint32) (number uint32)
	add(f File, combination uint32)
	// rename renumbers the values: renamed are the new ids by dimension and id.
	rename(renamed [][]uint32)
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

func newSelector(source string, layout *Layout, f Filter, rows sink) (*selector, error) {
	s := &selector{source: source, layout: layout, sorted: true, limit: f.Limit, rows: rows}
	var names []string
	if layout != nil {
		names = layout.dimensions
	}
	s.read, s.values, s.ids = make([][]byte, len(names)), make([][]byte, len(names)), make([]uint32, len(names))
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
	if s.total == 1 {
		s.first = bytes.Clone(f.Key)
	} else {
		switch bytes.Compare(s.last, f.Key) {
		case 0:
			return &DuplicateKeyError{Source: s.source, Key: string(f.Key)}
		case +1:
			s.sorted = false
		}
	}
	s.last = append(s.last[:0], f.Key...)

	if s.layout != nil {
		values, fits := s.valuesOf(f)
		if !fits {
			s.addUnparsed(f.Key)
			return nil
		}
		if s.run == 0 || !slices.EqualFunc(values, s.values, bytes.Equal) {
			s.begin(values)
		}
		s.run++
		if !s.selected {
			return nil
		}
	}
	if f.Size > 0 {
		s.bytes += f.Size
	}
	s.rows.add(f, s.combo)
	return nil
}

// valuesOf are the values of a file's dimensions, until the next call, and whether its key fits the layout.
func (s *selector) valuesOf(f File) (values [][]byte, fits bool) {
	if s.layout.columns && f.Dims == nil {
		return nil, false
	}
	if f.Dims != nil && s.ofSource {
		s.columns = true
		return f.Dims, true
	}
	split := bytes.LastIndexByte(f.Key, '/') + 1
	if folder := f.Key[:split]; s.folder == nil || !bytes.Equal(folder, s.folder) {
		s.folder = append(s.folder[:0], folder...)
		if s.folder == nil {
			s.folder = []byte{}
		}
		s.folderFits = s.layout.matchFolders(s.folder, s.read)
	}
	return s.read, s.folderFits && s.layout.matchName(f.Key[split:], s.read)
}

// begin begins a run of files that all have these values.
func (s *selector) begin(values [][]byte) {
	s.count()
	for d, value := range values {
		s.values[d] = append(s.values[d][:0], value...)
		s.ids[d] = s.dims[d].intern(value)
	}
	s.match()
	if s.selected {
		s.combo = s.rows.combination(s.ids)
	}
}

// count counts the files of the run, which ends.
func (s *selector) count() {
	if s.run == 0 {
		return
	}
	for d, id := range s.ids {
		s.dims[d].counts[id] += s.run
	}
	for _, t := range s.where[:s.passed] {
		t.left += s.run
	}
	s.run = 0
}

// match evaluates the filter for the current ids.
func (s *selector) match() {
	s.passed, s.selected = 0, false
	for _, t := range s.where {
		if !t.ok[s.ids[t.dim]] {
			return
		}
		s.passed++
	}
	s.selected = len(s.exclude) == 0
	for _, t := range s.exclude {
		s.selected = s.selected || !t.ok[s.ids[t.dim]]
	}
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

// intern is the number of a value.
func (in *interner) intern(value []byte) uint32 {
	if len(in.values) > 0 && in.values[in.last] == string(value) {
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
	in.last = id
	return id
}

// merge adds what was found in the part of the source that comes next.
func (s *selector) merge(next *selector) error {
	s.count()
	next.count()
	if next.total == 0 {
		return nil
	}
	if s.total > 0 {
		switch bytes.Compare(s.last, next.first) {
		case 0:
			return &DuplicateKeyError{Source: s.source, Key: string(s.last)}
		case +1:
			s.sorted = false
		}
	}
	s.last = next.last
	s.total += next.total
	s.bytes += next.bytes
	s.sorted = s.sorted && next.sorted
	s.columns = s.columns || next.columns
	s.unparsed += next.unparsed
	for _, key := range next.sample {
		s.addSample(key)
	}
	renamed := make([][]uint32, len(s.dims))
	for d, in := range next.dims {
		for id, value := range in.values {
			now := s.dims[d].intern([]byte(value))
			s.dims[d].counts[now] += in.counts[id]
			renamed[d] = append(renamed[d], now)
		}
	}
	for i, t := range next.where {
		s.where[i].left += t.left
	}
	next.rows.rename(renamed)
	s.earlier = append(s.earlier, s.rows)
	s.rows = next.rows
	return nil
}

// finish sorts what needs it and puts the Selection together.
func (s *selector) finish(ctx context.Context, src Source, root string) (*Selection, error) {
	s.count()
	var names []string
	if s.layout != nil {
		names = s.layout.dimensions
	}
	var builders []*builder
	for _, rows := range append(s.earlier, s.rows) {
		builders = append(builders, rows.(*builder))
	}
	table := join(names, builders)
	if !s.sorted {
		table.sort()
		if key, found := table.duplicate(); found {
			return nil, &DuplicateKeyError{Source: s.source, Key: key}
		}
	}
	revision, root, err := s.place(ctx, src, root)
	if err != nil {
		return nil, err
	}
	sel := s.selection(revision, root, table)
	for d, in := range s.dims {
		in.sort(table, d)
	}
	if s.live != nil {
		sel.Revision = s.liveRevision(table)
	}
	sel.limit(s.limit)
	return sel, nil
}

// place is the revision of the source, empty for a Pruner, and the root of the files.
func (s *selector) place(ctx context.Context, src Source, given string) (revision, root string, err error) {
	if s.live == nil {
		if revision, err = src.Revision(ctx); err != nil {
			return "", "", fmt.Errorf("revision of %s: %w", src, err)
		}
	}
	if given == "" {
		given = src.Root()
	}
	return revision, given, nil
}

func (s *selector) selection(revision, root string, files *Table) *Selection {
	sel := &Selection{
		Source: s.source, Revision: revision, Layout: s.layout, Root: root,
		Files: files, Total: s.total, Bytes: s.bytes, Unparsed: s.unparsed, UnparsedSample: s.sample,
		Unlisted: s.unlisted, Live: s.live,
	}
	for _, t := range s.where {
		if t.Op != OpAny {
			sel.Funnel = append(sel.Funnel, Step{Dimension: t.Dimension, Left: t.left, Unlisted: t.unlisted})
		}
	}
	if len(s.exclude) > 0 {
		sel.Funnel = append(sel.Funnel, Step{Dimension: "exclude", Left: files.Len(), Unlisted: s.excludeUnlisted})
	}
	for d, in := range s.dims {
		dimension := Dimension{Name: s.layout.dimensions[d], Values: make([]ValueCount, len(in.values))}
		for id, value := range in.values {
			dimension.Values[id] = ValueCount{Value: value, Files: in.counts[id]}
		}
		slices.SortFunc(dimension.Values, func(a, b ValueCount) int { return strings.Compare(a.Value, b.Value) })
		sel.Dimensions = append(sel.Dimensions, dimension)
	}
	return sel
}

// sort renumbers the values of a table so that the numbers have the order of the values.
func (in *interner) sort(t *Table, d int) {
	order := make([]uint32, len(in.values))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return strings.Compare(in.values[a], in.values[b]) })
	renamed := make([]uint32, len(order))
	t.values[d] = make([]string, len(order))
	for to, from := range order {
		renamed[from] = uint32(to)
		t.values[d][to] = in.values[from]
	}
	for i := d; i < len(t.ids); i += len(t.dimensions) {
		t.ids[i] = renamed[t.ids[i]]
	}
}
