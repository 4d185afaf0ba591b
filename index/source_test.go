package index_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/tafc/tafc/index"
)

// list is a source for tests: rows in memory, in the order given.
type list struct {
	layout string
	rows   []row
}

type row struct {
	key  string
	size int64
	etag string
}

func keys(keys ...string) *list {
	l := &list{}
	for i, key := range keys {
		l.rows = append(l.rows, row{key, int64(i + 1), "e" + key})
	}
	return l
}

func (l *list) String() string                           { return "list:test" }
func (l *list) Layout() string                           { return l.layout }
func (l *list) Root() string                             { return "file:///data/" }
func (l *list) Close() error                             { return nil }
func (l *list) Revision(context.Context) (string, error) { return "r1", nil }

func (l *list) Scan(_ context.Context, fn func(index.File) error) error {
	var key, etag []byte // one buffer for all rows, as the contract allows
	for _, r := range l.rows {
		key, etag = append(key[:0], r.key...), append(etag[:0], r.etag...)
		if err := fn(index.File{Key: key, Size: r.size, ETag: etag}); err != nil {
			return err
		}
	}
	return nil
}

// telemetryRows makes n rows in the ancestors' layout, in key order, that look like those of a bucket.
func telemetryRows(n int) []row {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	rows := make([]row, n)
	for i := range rows {
		day := random.IntN(60)
		rows[i] = row{
			key: fmt.Sprintf("%s/%s/%s/%d.0a%d/%d%02d%02d030201.2014%02d%02d.v2.log.%032x.lzma",
				pick("idle_daily", "saved_session"), pick("Firefox", "Fennec", "Thunderbird"), pick("nightly", "aurora", "beta", "release"),
				24+random.IntN(6), 1+random.IntN(2), 2013+random.IntN(2), 1+random.IntN(12), 1+random.IntN(28), 1+day/30, 1+day%30, i),
			size: int64(random.IntN(1 << 20)),
			etag: fmt.Sprintf("%032x", random.Uint64()),
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.key, b.key) })
	for i, r := range rows { // neighbours in memory, as those of a real source are
		rows[i].key, rows[i].etag = strings.Clone(r.key), strings.Clone(r.etag)
	}
	return rows
}

// failing is a source that cannot be read to its end.
type failing struct{ *list }

var errDisk = errors.New("disk on fire")

func (f failing) Scan(ctx context.Context, fn func(index.File) error) error {
	return errors.Join(f.list.Scan(ctx, fn), errDisk)
}
