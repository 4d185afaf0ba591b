package inventory

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/s3client"
)

// Source lists the files of an inventory. It is safe for concurrent use; each Scan reads the data anew.
type Source struct {
	name     string
	place    place
	manifest *manifest
	revision string
}

// Open reads the manifest of the inventory at path, a path of this computer or an s3:// URL. The name is how the analysis writes the
// source. The configuration is for a bucket.
func Open(ctx context.Context, name, path string, config s3client.Config) (*Source, error) {
	s := &Source{name: name}
	if err := s.open(ctx, path, config); err != nil {
		return nil, fmt.Errorf("open index %s: %w", name, err)
	}
	return s, nil
}

func (s *Source) open(ctx context.Context, path string, config s3client.Config) (err error) {
	if strings.HasPrefix(path, "s3://") {
		s.place, err = newBucket(ctx, path, config)
	} else {
		s.place, err = newFolder(path)
	}
	if err != nil {
		return err
	}
	text, err := s.place.manifest(ctx)
	if err != nil {
		return err
	}
	where := s.place.String()
	switch want, err := s.place.checksum(ctx); {
	case err != nil:
		return err
	case want != "" && want != sum(text):
		return fmt.Errorf("%s is not what its manifest.checksum is about: it was changed, or copied only in part", where)
	}
	if s.manifest, err = parseManifest(text); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	digest := sha256.Sum256(text)
	s.revision = hex.EncodeToString(digest[:8])
	return nil
}

func sum(text []byte) string {
	digest := md5.Sum(text)
	return hex.EncodeToString(digest[:])
}

// String is the source as the analysis writes it.
func (s *Source) String() string { return s.name }

// Layout is empty: an inventory does not say what its keys look like.
func (s *Source) Layout() string { return "" }

// Root is the bucket that the inventory is about.
func (s *Source) Root() string { return "s3://" + s.manifest.SourceBucket + "/" }

// Revision is a digest of the manifest, which has the checksums of the data.
func (s *Source) Revision(context.Context) (string, error) { return s.revision, nil }

// Close does nothing; there is nothing to close.
func (s *Source) Close() error { return nil }

// Scan calls fn for every file, in key order.
func (s *Source) Scan(ctx context.Context, fn func(index.File) error) error {
	lists := make([]list, len(s.manifest.Files))
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range s.manifest.Files {
		group.Go(func() error {
			if err := s.read(reading, f, &lists[i]); err != nil {
				return fmt.Errorf("%s: %w", f.Key, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	var rows []row
	for i := range lists {
		rows = append(rows, lists[i].rows...)
		lists[i].rows = nil
	}
	slices.SortFunc(rows, func(a, b row) int { return bytes.Compare(a.key(), b.key()) })
	for i, r := range rows {
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := fn(index.File{Key: r.key(), Size: r.size, ETag: r.text[r.keyLen:]}); err != nil {
			return err
		}
	}
	return nil
}

// row is a file: its key and its ETag in one text.
type row struct {
	text   []byte
	keyLen int
	size   int64
}

func (r row) key() []byte { return r.text[:r.keyLen] }

// list is the files of one data file. Their texts share blocks.
type list struct {
	rows  []row
	block []byte
}

const listBlock = 1 << 20

// object is a line of an inventory.
type object struct {
	key, etag string
	size      int64 // -1: none
	old       bool  // not the latest version
	deleted   bool  // a delete marker
}

// add takes an object unless it is no file.
func (l *list) add(o object) error {
	switch {
	case o.key == "":
		return errors.New("an object has no key")
	case o.old || o.deleted || strings.HasSuffix(o.key, "/") && o.size <= 0:
		return nil
	}
	etag := strings.Trim(o.etag, `"`)
	need := len(o.key) + len(etag)
	if len(l.block)+need > cap(l.block) {
		l.block = make([]byte, 0, max(listBlock, need))
	}
	start := len(l.block)
	l.block = append(append(l.block, o.key...), etag...)
	l.rows = append(l.rows, row{l.block[start:len(l.block):len(l.block)], len(o.key), max(o.size, -1)})
	return nil
}

// read reads one data file.
func (s *Source) read(ctx context.Context, f manifestFile, to *list) error {
	data, err := s.place.open(ctx, f.Key)
	if err != nil {
		return err
	}
	defer data.Close()
	if s.manifest.FileFormat == formatParquet {
		return readParquet(data, f.MD5Checksum, to)
	}
	hash := md5.New()
	verified := io.TeeReader(data, hash)
	columns, err := s.manifest.columns()
	if err != nil {
		return err
	}
	err = readCSV(verified, columns, to)
	if _, rest := io.Copy(io.Discard, verified); rest != nil {
		return errors.Join(err, rest)
	}
	// A wrong checksum is what explains a text that cannot be read.
	return errors.Join(verify(hash.Sum(nil), f.MD5Checksum), err)
}

func verify(digest []byte, want string) error {
	if got := hex.EncodeToString(digest); want != "" && !strings.EqualFold(got, want) {
		return fmt.Errorf("its checksum is %s, the manifest says %s: it was changed, or copied only in part", got, want)
	}
	return nil
}
