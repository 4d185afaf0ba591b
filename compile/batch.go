package compile

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/lang"
)

// Batch is the files of one map task. Which files share a batch depends only on the set of files: inside a group they are
// the leaves of a binary trie over a hash of the key, split where a node holds more than a task may read. So a new file
// changes one batch, or splits one in two, and a batch keeps its name as long as its trie node stays a leaf.
type Batch struct {
	Group  string // values of the group_by dimensions, joined by commas; empty without any
	Path   string // trie path, a text of 0 and 1; empty when the group is one batch
	Count  int    // of files
	Bytes  int64  // stored size; files of unknown size count nothing
	Digest digest // of the set of files: see digestRows

	Files []int32 // numbers of the files in the survey, ascending; nil when nobody will ask for them
}

// Name is the batch's part of its task's address: 20140308/0110.
func (b *Batch) Name() string {
	switch {
	case b.Group == "" && b.Path == "":
		return "all"
	case b.Group == "":
		return b.Path
	case b.Path == "":
		return b.Group
	}
	return b.Group + "/" + b.Path
}

// hashBits is the depth of the trie: two files whose whole hashes are equal stay together.
const hashBits = 64

// Batches splits the files of a survey. groupBy are indexes of dimensions. Batches come sorted by group and path, with Files when keep
// says so. Twins tells that two files have the same hash, which is what a source that lists a file twice looks like.
func Batches(files *index.Survey, groupBy []int, limit lang.Batch, keep bool) (batches []Batch, twins bool) {
	names, runs := groups(files, groupBy)
	byGroup := make([][]Batch, len(names))
	var anyTwins atomic.Bool
	parallel(len(names), func(next func() int) {
		t := trie{files: files, limit: limit, keep: keep}
		for g := next(); g >= 0; g = next() {
			byGroup[g] = t.batches(names[g], runs[g])
		}
		if t.twins {
			anyTwins.Store(true)
		}
	})
	return slices.Concat(byGroup...), anyTwins.Load()
}

// groups are the sorted names of the groups, and the runs of each.
func groups(files *index.Survey, groupBy []int) (names []string, runs [][]int32) {
	byName := map[string][]int32{}
	var buf []byte
	for run := range files.Runs() {
		if files.RunLen(run) == 0 {
			continue
		}
		buf = buf[:0]
		for n, d := range groupBy {
			if n > 0 {
				buf = append(buf, ',')
			}
			buf = append(buf, files.Dim(run, d)...)
		}
		byName[string(buf)] = append(byName[string(buf)], int32(run))
	}
	names = slices.Sorted(maps.Keys(byName))
	for _, name := range names {
		runs = append(runs, byName[name])
	}
	return names, runs
}

// trie splits one group after the other.
type trie struct {
	files *index.Survey
	limit lang.Batch
	keep  bool
	rows  []index.Row // of a group
	text  []byte

	group string
	path  [hashBits]byte
	out   []Batch
	twins bool
}

// batches are those of one group.
func (t *trie) batches(group string, runs []int32) []Batch {
	rows := 0
	for _, run := range runs {
		rows += t.files.RunLen(int(run))
	}
	t.rows = slices.Grow(t.rows[:0], rows)
	for _, run := range runs {
		t.rows = t.files.AppendRun(t.rows, int(run))
	}
	t.group, t.out = group, nil
	t.split(t.rows, 0)
	return t.out
}

// split makes a batch of the rows of one node, or splits the node by the next bit of the hash.
func (t *trie) split(rows []index.Row, depth int) {
	if len(rows) == 0 {
		return
	}
	last := depth == hashBits || len(rows) == 1
	if last || len(rows) <= t.limit.MaxFiles {
		if size := bytesOf(rows); last || size <= t.limit.MaxSize {
			t.leaf(rows, depth, size)
			return
		}
	}
	middle := partition(rows, uint64(1)<<(hashBits-1-depth))
	t.path[depth] = '0'
	t.split(rows[:middle], depth+1)
	t.path[depth] = '1'
	t.split(rows[middle:], depth+1)
}

// partition moves the rows whose hash has the bit behind the others, and tells where they begin.
func partition(rows []index.Row, bit uint64) int {
	low, high := 0, len(rows)
	for low < high {
		if rows[low].Hash&bit == 0 {
			low++
			continue
		}
		high--
		rows[low], rows[high] = rows[high], rows[low]
	}
	return low
}

func (t *trie) leaf(rows []index.Row, depth int, size int64) {
	b := Batch{Group: t.group, Path: string(t.path[:depth]), Count: len(rows), Bytes: size}
	var twins bool
	b.Digest, t.text, twins = digestRows(rows, t.files.Sum, t.text)
	t.twins = t.twins || twins
	if t.keep {
		b.Files = make([]int32, len(rows))
		for i, r := range rows {
			b.Files[i] = r.N
		}
		slices.Sort(b.Files)
	}
	t.out = append(t.out, b)
}

func bytesOf(rows []index.Row) int64 {
	var sum int64
	for _, r := range rows {
		sum += max(0, r.Size)
	}
	return sum
}

// digestRows is the digest of a set of files: SHA-256 over the sums of the files in the order of their hashes, and where these are
// equal of the sums themselves. It sorts the rows. Twins tells that two hashes are equal.
func digestRows(rows []index.Row, sum func(int32) *index.Sum, text []byte) (d digest, used []byte, twins bool) {
	slices.SortFunc(rows, func(a, b index.Row) int {
		if a.Hash == b.Hash {
			return bytes.Compare(sum(a.N)[:], sum(b.N)[:])
		}
		return cmp.Compare(a.Hash, b.Hash)
	})
	text = text[:0]
	for i, r := range rows {
		twins = twins || i > 0 && rows[i-1].Hash == r.Hash
		text = append(text, sum(r.N)[:]...)
	}
	return sha256.Sum256(text), text, twins
}
