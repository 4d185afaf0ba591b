package compile

import (
	"errors"
	"slices"
	"strconv"
	"sync"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/runtime/job"
)

// Batched is the batches of what a filter selects. The files themselves may be read only when somebody asks for them: most plans
// need none.
type Batched struct {
	batches []Batch
	groupBy []int
	limit   lang.Batch

	mu    sync.Mutex
	table *index.Table                 // nil: not read yet
	read  func() (*index.Table, error) // when the table is nil
	err   error
}

// batchTable makes batches of a table.
func batchTable(table *index.Table, groupBy []int, limit lang.Batch) *Batched {
	b := &Batched{groupBy: groupBy, limit: limit, table: table}
	b.batches, _ = Batches(table.Survey(), groupBy, limit, true)
	return b
}

// rows are the table and the rows of a batch. They are nil when the files cannot be read, or are not those that were planned with;
// then err is set.
func (b *Batched) rows(batch int) (*index.Table, []int32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.table == nil && b.err == nil {
		b.err = b.load()
	}
	if b.err != nil {
		return nil, nil
	}
	return b.table, b.batches[batch].Files
}

// load reads the files. They must make the same batches.
func (b *Batched) load() error {
	table, err := b.read()
	if err != nil {
		return err
	}
	again := batchTable(table, b.groupBy, b.limit)
	same := slices.EqualFunc(b.batches, again.batches, func(a, b Batch) bool {
		return a.Group == b.Group && a.Path == b.Path && a.Digest == b.Digest
	})
	if !same {
		return errors.New("the index has changed while it was being planned with; plan again")
	}
	b.batches, b.table = again.batches, table
	return nil
}

// Files are the pinned files of a task.
type Files struct {
	count  int
	digest digest

	batched *Batched
	batch   int
	list    []job.File // without batched: of a saved plan
}

// savedFiles are the files of a task in a saved plan.
func savedFiles(list []job.File) *Files {
	rows, sums := make([]index.Row, len(list)), make([]index.Sum, len(list))
	for i, f := range list {
		rows[i] = index.Row{Hash: index.HashKey(f.Key), Size: f.Size, N: int32(i)}
		sums[i] = index.SumFile(f.Key, f.Size, f.ETag)
	}
	f := &Files{count: len(list), list: list}
	f.digest, _, _ = digestRows(rows, func(n int32) *index.Sum { return &sums[n] }, nil)
	return f
}

// Len is how many there are, also of nil.
func (f *Files) Len() int {
	if f == nil {
		return 0
	}
	return f.count
}

// List makes a list of them in key order, without their URLs. It is nil when they cannot be read (see Graph.Err).
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
	var b []byte
	if f.batched != nil {
		table, rows := f.batched.rows(f.batch)
		for _, r := range rows {
			b = append(table.AppendRow(b, int(r)), '\n')
		}
		return b
	}
	for _, file := range f.list {
		b = append(append(b, file.Key...), '\t')
		b = append(strconv.AppendInt(b, file.Size, 10), '\t')
		b = append(append(b, file.ETag...), '\n')
	}
	return b
}
