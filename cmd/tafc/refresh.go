package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/refresh"
	"github.com/tafc/tafc/index/sqlite"
)

// refreshFlags say what tafc index build lists again of a source whose index file is there.
type refreshFlags struct {
	changed []string
	recent  uint
}

func (r *refreshFlags) add(f *pflag.FlagSet) {
	f.Var((*repeated)(&r.changed), "changed", "s3: list only keys with this beginning again, keep the rest of the index file; may be repeated")
	f.UintVar(&r.recent, "recent", 0, "s3: list only folders again that something was put into in so many days before they were listed last, and new ones (default: all)")
}

// listing is the source as it is to be listed. The earlier index is nil unless something is taken from it.
func (r *refreshFlags) listing(src index.Source, out string) (*refresh.Source, *sqlite.Source, error) {
	options := refresh.Options{Changed: r.changed, Quiet: time.Duration(r.recent) * 24 * time.Hour, Now: time.Now()}
	if len(r.changed) > 0 && r.recent > 0 {
		return nil, nil, usageError("-changed and -recent are two ways to say what is listed again; use one of them")
	}
	if len(r.changed) == 0 && r.recent == 0 {
		listing, err := refresh.New(src, nil, options)
		return listing, nil, err
	}
	listing, err := refresh.New(src, nil, options)
	if err != nil {
		return nil, nil, usageError("%w", err)
	}
	if info, err := os.Stat(out); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return listing, nil, nil // the first time, everything is listed
	}
	old, err := sqlite.Open("sqlite:"+out, out, "")
	if err != nil {
		return nil, nil, err
	}
	if old.Listed() != src.String() {
		old.Close()
		return nil, nil, fmt.Errorf("%s was built from %s, not from %s: nothing can be taken from it; leave -changed and -recent out to list everything", out, old.Listed(), src)
	}
	listing, err = refresh.New(src, old, options)
	return listing, old, err
}
