package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/tafc/tafc/index"
)

// Source lists the files of a folder. It is safe for concurrent use.
type Source struct {
	name string
	path string // absolute

	mu       sync.Mutex
	listed   bool
	files    []file // in key order
	revision string
}

// Open makes a source of the folder at path. The name is how the analysis writes the source, such as dir:data.
func Open(name, path string) (*Source, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the folder of index %s does not exist: %s", name, path)
	case err != nil:
		return nil, fmt.Errorf("open index %s: %w", name, err)
	case !info.IsDir():
		return nil, fmt.Errorf("index %s: %s is not a folder; write dir: with the folder that holds the files, or sqlite: with an index file", name, path)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open index %s: %w", name, err)
	}
	return &Source{name: name, path: absolute}, nil
}

// String is the source as the analysis writes it.
func (s *Source) String() string { return s.name }

// Layout is empty: a folder does not say what its layout is.
func (s *Source) Layout() string { return "" }

// Root is the folder as a file URL that ends with a slash.
func (s *Source) Root() string { return index.FileURL(s.path) }

// Close does nothing; there is nothing to close.
func (s *Source) Close() error { return nil }

// Revision changes whenever a file comes, goes or changes its size or time.
func (s *Source) Revision(ctx context.Context) (string, error) {
	if err := s.list(ctx); err != nil {
		return "", err
	}
	return s.revision, nil
}

// Scan calls fn for every file, in key order.
func (s *Source) Scan(ctx context.Context, fn func(index.File) error) error {
	if err := s.list(ctx); err != nil {
		return err
	}
	return each(ctx, s.files, fn)
}

func each(ctx context.Context, files []file, fn func(index.File) error) error {
	var key, etag []byte
	for i, f := range files {
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		key = append(key[:0], f.key...)
		etag = f.appendETag(etag[:0])
		if err := fn(index.File{Key: key, Size: f.size, ETag: etag}); err != nil {
			return err
		}
	}
	return nil
}

// list walks the folder unless that is done.
func (s *Source) list(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listed {
		return nil
	}
	files, err := walk(ctx, s.path)
	if err != nil {
		return fmt.Errorf("list %s: %w", s.name, err)
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.key, b.key) })
	digest := index.NewDigest()
	err = each(ctx, files, func(f index.File) error { digest.Add(f); return nil })
	if err != nil {
		return err
	}
	s.files, s.revision, s.listed = files, digest.String(), true
	return nil
}
