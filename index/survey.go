package index

import (
	"context"
	"crypto/sha256"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"github.com/cespare/xxhash/v2"
)

// Survey is what planning needs of the files that a filter selects, without the files: 48 bytes for each. It is immutable.
//
// Its rows are in the order in which the source lists the files, or in that of a Table. They come in runs of neighbours that have the
// same values in all dimensions.
type Survey struct {
	parts      []*surveyor
	bases      []int // how many rows the parts before each have
	runs       []surveyRun
	dimensions []string
	values     [][]string // by dimension, by id
}

// surveyRun is a run of rows.
type surveyRun struct {
	part       int
	start, end int // rows of the part
	ids        []uint32
}

// Row is a file of a Survey.
type Row struct {
	Hash uint64 // of the key: xxHash64
	Size int64  // -1 when unknown
	N    int32  // its number
}

// Sum is a digest of a file as an index has it: SHA-256 of its key, size and ETag, with a TAB between them.
type Sum = [sha256.Size]byte

// Len is the number of files.
func (s *Survey) Len() int {
	n := 0
	for _, p := range s.parts {
		n += p.hashes.len
	}
	return n
}

// Runs is the number of runs.
func (s *Survey) Runs() int { return len(s.runs) }

// Dim is the value that the files of a run have in dimension d.
func (s *Survey) Dim(run, d int) string { return s.values[d][s.runs[run].ids[d]] }

// RunLen is the number of files of a run.
func (s *Survey) RunLen(run int) int { return s.runs[run].end - s.runs[run].start }

// AppendRun appends the files of a run.
func (s *Survey) AppendRun(to []Row, run int) []Row {
	r := s.runs[run]
	part, base := s.parts[r.part], s.bases[r.part]
	for i := r.start; i < r.end; i++ {
		to = append(to, Row{Hash: *part.hashes.at(i), Size: *part.sizes.at(i), N: int32(base + i)})
	}
	return to
}

// Sum is the digest of the file with a number.
func (s *Survey) Sum(n int32) *Sum {
	p := len(s.parts) - 1
	for int(n) < s.bases[p] {
		p--
	}
	return s.parts[p].sums.at(int(n) - s.bases[p])
}

// HashKey is Row.Hash of a key.
func HashKey(key string) uint64 { return xxhash.Sum64String(key) }

// SumFile is the Sum of a file.
func SumFile(key string, size int64, etag string) Sum {
	text := append([]byte(key), '\t')
	text = append(strconv.AppendInt(text, size, 10), '\t')
	return sha256.Sum256(append(text, etag...))
}

// surveyor makes the rows of a part of a Survey.
type surveyor struct {
	hashes column[uint64]
	sizes  column[int64]
	sums   column[Sum]
	starts []int // of the runs
	ids    column[uint32]
	text   []byte
}

func (b *surveyor) combination(ids []uint32) uint32 {
	for _, id := range ids {
		b.ids.add(id)
	}
	b.starts = append(b.starts, b.hashes.len)
	return 0
}

func (b *surveyor) add(f File, _ uint32) {
	b.text = append(append(b.text[:0], f.Key...), '\t')
	b.text = append(strconv.AppendInt(b.text, f.Size, 10), '\t')
	b.text = append(b.text, f.ETag...)
	b.hashes.add(xxhash.Sum64(f.Key))
	b.sizes.add(f.Size)
	b.sums.add(sha256.Sum256(b.text))
}

func (b *surveyor) rename(renamed [][]uint32) { renameIDs(&b.ids, renamed) }

// joinSurvey puts the parts of a survey together.
func joinSurvey(parts []*surveyor, dimensions []string, values [][]string) *Survey {
	s := &Survey{parts: parts, dimensions: dimensions, values: values}
	base := 0
	for p, part := range parts {
		s.bases = append(s.bases, base)
		base += part.hashes.len
		if len(dimensions) == 0 {
			s.runs = append(s.runs, surveyRun{part: p, end: part.hashes.len})
			continue
		}
		ids := part.ids.appendTo(nil)
		for i, start := range part.starts {
			end := part.hashes.len
			if i+1 < len(part.starts) {
				end = part.starts[i+1]
			}
			s.runs = append(s.runs, surveyRun{part: p, start: start, end: end, ids: ids[i*len(dimensions) : (i+1)*len(dimensions)]})
		}
	}
	return s
}

// Survey is the survey of a table. Rows have the same numbers as in the table.
func (t *Table) Survey() *Survey {
	workers := max(1, min(runtime.GOMAXPROCS(0), t.Len()/1024))
	parts := make([]*surveyor, workers)
	var group sync.WaitGroup
	for w := range parts {
		parts[w] = &surveyor{}
		group.Go(func() { t.survey(parts[w], t.Len()*w/workers, t.Len()*(w+1)/workers) })
	}
	group.Wait()
	return joinSurvey(parts, t.dimensions, t.values)
}

func (t *Table) survey(to *surveyor, first, end int) {
	var f File
	var buf []byte
	width := len(t.dimensions)
	for i := first; i < end; i++ {
		if c := int(t.combos[i]); width > 0 && (i == first || t.combos[i-1] != t.combos[i]) {
			to.combination(t.ids[c*width : (c+1)*width])
		}
		f, buf = t.file(i, buf)
		to.add(f, 0)
	}
}

// SelectSurvey is Select for planning: the files themselves are not kept, so the Selection's Files only say how many there are. When the
// survey is nil, it takes Select: the source cannot be read again at little cost, or the filter must see all files to choose some.
//
// Among files that the source does not list one after the other, a duplicate is not noticed here; it has the hash of the other one.
func SelectSurvey(ctx context.Context, src Source, layout *Layout, root string, f Filter) (*Selection, *Survey, error) {
	splitter, ok := src.(Splitter)
	if !ok || f.Limit > 0 {
		return nil, nil, nil
	}
	layout, err := layoutOf(src, layout)
	if err != nil || layout == nil {
		return nil, nil, err
	}
	s, err := selectParts(ctx, splitter, layout, f, func() sink { return &surveyor{} })
	if err != nil {
		return nil, nil, err
	}
	parts := make([]*surveyor, 0, len(s.earlier)+1)
	for _, rows := range append(s.earlier, s.rows) {
		parts = append(parts, rows.(*surveyor))
	}
	s.count()
	survey := joinSurvey(parts, layout.dimensions, make([][]string, len(layout.dimensions)))
	for d, in := range s.dims {
		survey.values[d] = slices.Clone(in.values)
	}
	revision, root, err := s.place(ctx, src, root)
	if err != nil {
		return nil, nil, err
	}
	return s.selection(revision, root, Unread(survey.Len(), layout)), survey, nil
}
