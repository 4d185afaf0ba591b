package synthetic

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tafc/tafc/index"
)

// Days is how many submission dates the files are spread over.
const Days = 62

// Source lists the synthetic files. It is an index.Source.
type Source struct {
	root  string
	files []file // in key order
}

type file struct {
	key  string
	size int64
	etag string
}

// New makes a source of n files below a root, a file URL with a slash at its end.
func New(n int, root string) *Source {
	random := rand.NewPCG(uint64(n), 2014)
	next := func(n int) int { return int(random.Uint64() % uint64(n)) }
	first := time.Date(2014, 1, 1, 0, 0, 0, 0, time.UTC)
	reasons := []string{"saved_session", "idle_daily"}
	channels := []string{"nightly/30.0a1", "aurora/29.0a2", "beta/28.0", "release/27.0.1"}
	s := &Source{root: root, files: make([]file, n)}
	for i := range s.files {
		date := first.AddDate(0, 0, i%Days)
		s.files[i] = file{
			key: fmt.Sprintf("%s/Firefox/%s/%s030203.%s.v2.log.%016x%016x.lzma", reasons[next(2)], channels[next(4)],
				date.AddDate(0, 0, -next(5)).Format("20060102"), date.Format("20060102"), random.Uint64(), random.Uint64()),
			size: int64(20_000 + next(480_000)),
			etag: fmt.Sprintf("%016x", random.Uint64()),
		}
	}
	slices.SortFunc(s.files, func(a, b file) int { return cmp.Compare(a.key, b.key) })
	return s
}

// String names the source.
func (s *Source) String() string { return fmt.Sprintf("synthetic:%d", len(s.files)) }

// Revision is the same for the same files.
func (s *Source) Revision(context.Context) (string, error) { return s.String(), nil }

// Scan yields the files in key order.
func (s *Source) Scan(ctx context.Context, fn func(index.File) error) error {
	for _, f := range s.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(index.File{Key: []byte(f.key), Size: f.size, ETag: []byte(f.etag)}); err != nil {
			return err
		}
	}
	return nil
}

// Layout is the ancestors' layout.
func (s *Source) Layout() string { return index.Telemetry }

// Root is what New was given.
func (s *Source) Root() string { return s.root }

// Close does nothing.
func (s *Source) Close() error { return nil }
