package synthetic

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/tafc/tafc/index"
)

// Days is how many submission dates the files are spread over. A million files are then 9,984 tasks of about 100 files.
const Days = 78

// buildDays is how many builds report on each day.
const buildDays = 5

// Source lists the synthetic files. It is an index.Source.
type Source struct {
	root  string
	files int
}

// New makes a source of n files below a root, a file URL with a slash at its end.
func New(n int, root string) *Source { return &Source{root: root, files: n} }

// String names the source.
func (s *Source) String() string { return fmt.Sprintf("synthetic:%d", s.files) }

// Revision is the same for the same files.
func (s *Source) Revision(context.Context) (string, error) { return s.String(), nil }

// folders are the beginnings of all keys, in order.
func folders() [][]byte {
	var out [][]byte
	first := time.Date(2014, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, reason := range []string{"idle_daily", "saved_session"} {
		for _, channel := range []string{"aurora/29.0a2", "beta/28.0", "nightly/30.0a1", "release/27.0.1"} {
			for build := 1 - buildDays; build < Days; build++ {
				for day := max(build, 0); day < min(build+buildDays, Days); day++ {
					out = append(out, fmt.Appendf(nil, "%s/Firefox/%s/%s030203.%s.v2.log.", reason, channel,
						first.AddDate(0, 0, build).Format("20060102"), first.AddDate(0, 0, day).Format("20060102")))
				}
			}
		}
	}
	slices.SortFunc(out, slices.Compare)
	return out
}

// Scan yields the files in key order.
func (s *Source) Scan(ctx context.Context, fn func(index.File) error) error {
	random := rand.NewPCG(uint64(s.files), 2014)
	all := folders()
	var key, etag []byte
	for i, folder := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		count := uint64(s.files*(i+1)/len(all) - s.files*i/len(all))
		for k := range count {
			step := math.MaxUint64 / count // so that the names come in order
			key = appendHex(append(key[:0], folder...), k*step+random.Uint64()%step)
			key = append(appendHex(key, random.Uint64()), ".lzma"...)
			etag = appendHex(etag[:0], random.Uint64())
			if err := fn(index.File{Key: key, Size: int64(20_000 + random.Uint64()%480_000), ETag: etag}); err != nil {
				return err
			}
		}
	}
	return nil
}

// appendHex appends 16 digits.
func appendHex(to []byte, v uint64) []byte {
	start := len(to)
	to = append(to, "0000000000000000"...)
	digits := strconv.AppendUint(nil, v, 16)
	copy(to[start+16-len(digits):], digits)
	return to
}

// Layout is the ancestors' layout.
func (s *Source) Layout() string { return index.Telemetry }

// Root is what New was given.
func (s *Source) Root() string { return s.root }

// Close does nothing.
func (s *Source) Close() error { return nil }
