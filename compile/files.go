package compile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"sync"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/runtime/job"
)

// Batched is the batches of what a filter selects. When they were remembered from an earlier plan, the files themselves are read only
// when somebody asks for them.
type Batched struct {
	batches []Batch
	digests [][sha256.Size]byte // of the inputs of each batch

	groupBy []int
	limit   lang.Batch

	mu    sync.Mutex
	table *index.Table
	read  func() (*index.Table, error) // when table is nil
	err   error
}

// newBatched makes the batches of a table.
func newBatched(table *index.Table, groupBy []int, limit lang.Batch) *Batched {
	b := &Batched{batches: Batches(table, groupBy, limit), groupBy: groupBy, limit: limit, table: table}
	b.digests = make([][sha256.Size]byte, len(b.batches))
	parallel(len(b.batches), 16, func(from, to int) {
		var text []byte
		for i := from; i < to; i++ {
			text = appendInputs(text[:0], table, b.batches[i].Files)
			b.digests[i] = sha256.Sum256(text)
		}
	})
	return b
}

// appendInputs appends what Task.Inputs says of files.
func appendInputs(to []byte, table *index.Table, rows []int32) []byte {
	for _, r := range rows {
		to = append(table.AppendRow(to, int(r)), '\n')
	}
	return to
}

// rows are the table and the rows of a batch. They are nil when the files cannot be read, or are not what was remembered; then err
// is set.
func (b *Batched) rows(batch int) (*index.Table, []int32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.table == nil && b.err == nil {
		b.load()
	}
	if b.err != nil {
		return nil, nil
	}
	rows := b.batches[batch].Files
	if b.read != nil && sha256.Sum256(appendInputs(nil, b.table, rows)) != b.digests[batch] {
		b.err = errMoved
		return nil, nil
	}
	return b.table, rows
}

var errMoved = errors.New("the index has changed while it was being planned with; plan again")

// load reads the files of remembered batches.
func (b *Batched) load() {
	table, err := b.read()
	if err != nil {
		b.err = err
		return
	}
	batches := Batches(table, b.groupBy, b.limit)
	if len(batches) != len(b.batches) {
		b.err = errMoved
		return
	}
	for i := range batches {
		if batches[i].Group != b.batches[i].Group || batches[i].Path != b.batches[i].Path {
			b.err = errMoved
			return
		}
		b.batches[i].Files = batches[i].Files
	}
	b.table = table
}

// Files are the pinned files of a task, in key order.
type Files struct {
	count   int
	batched *Batched
	batch   int
	list    []job.File // without batched: of a saved plan
}

// Len is how many there are, also of nil.
func (f *Files) Len() int {
	if f == nil {
		return 0
	}
	return f.count
}

// List makes a list of them, without their URLs. It is nil when they cannot be read (see Graph.Err).
func (f *Files) List() []job.File {
	switch {
	case f == nil:
		return nil
	case f.batched == nil:
		return slices.Clone(f.list)
	}
	table, rows := f.batched.rows(f.batch)
	if table == nil {
		return nil
	}
	files := make([]job.File, len(rows))
	hasDims := len(table.Dimensions()) > 0
	for i, r := range rows {
		row := int(r)
		files[i] = job.File{Key: table.Key(row), Size: table.Size(row), ETag: table.ETag(row)}
		switch {
		case !hasDims:
		case i > 0 && table.Combination(row) == table.Combination(int(rows[i-1])):
			files[i].Dims = files[i-1].Dims
		default:
			files[i].Dims = table.Dims(row)
		}
	}
	return files
}

// inputs is Task.Inputs.
func (f *Files) inputs() []byte {
	if f.batched != nil {
		table, rows := f.batched.rows(f.batch)
		if table == nil {
			return nil
		}
		return appendInputs(nil, table, rows)
	}
	var b []byte
	for _, file := range f.list {
		b = append(append(b, file.Key...), '\t')
		b = append(strconv.AppendInt(b, file.Size, 10), '\t')
		b = append(append(b, file.ETag...), '\n')
	}
	return b
}

// digest is Task.InputsDigest.
func (f *Files) digest() string {
	if f.batched != nil {
		return hex.EncodeToString(f.batched.digests[f.batch][:])
	}
	return digest(f.inputs())
}
