package s3

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/s3client"
)

// workers is how many requests are made at once. A server answers a few hundred listings a second; more would only wait.
const workers = 16

// Source lists the objects of a bucket that lie in a folder. It is safe for concurrent use; each call lists anew.
type Source struct {
	name   string
	bucket string
	folder string // with a slash at its end, or empty
	api    lister
}

// Open makes a source of s3://BUCKET/PREFIX. Prefix is a folder, with or without a slash at its end. Nothing is asked for yet.
func Open(name string, config s3client.Config) (*Source, error) {
	name = strings.TrimSpace(name)
	bucketName, folder, err := Split(name)
	if err != nil {
		return nil, err
	}
	if err := config.Check(); err != nil {
		return nil, fmt.Errorf("index %s: %w", name, err)
	}
	return &Source{name: name, bucket: bucketName, folder: folder, api: bucket{s3client.New(bucketName, config)}}, nil
}

// Split takes an s3:// URL apart. The folder ends with a slash, or is empty for the whole bucket.
func Split(url string) (bucket, folder string, err error) {
	path, ok := strings.CutPrefix(url, "s3://")
	bucket, folder, _ = strings.Cut(path, "/")
	switch {
	case !ok || bucket == "":
		return "", "", fmt.Errorf("%q names no bucket; write s3://BUCKET or s3://BUCKET/FOLDER", url)
	case strings.ContainsAny(bucket, "@:?#"):
		return "", "", errors.New("what follows s3:// is no name of a bucket; write s3://BUCKET/FOLDER, the server as endpoint, and no credentials")
	case strings.HasPrefix(folder, "/") || strings.Contains(folder, "//"):
		return "", "", fmt.Errorf("%q has an empty folder; remove the slash that is too many", url)
	}
	if folder != "" && !strings.HasSuffix(folder, "/") {
		folder += "/"
	}
	return bucket, folder, nil
}

// String is the source as the analysis writes it.
func (s *Source) String() string { return s.name }

// Layout is empty: a bucket does not say what its layout is.
func (s *Source) Layout() string { return "" }

// Root is the folder as a URL that ends with a slash.
func (s *Source) Root() string { return "s3://" + s.bucket + "/" + s.folder }

// Close does nothing; there is nothing to close.
func (s *Source) Close() error { return nil }

// Revision is the digest of all objects. It lists them.
func (s *Source) Revision(ctx context.Context) (string, error) {
	digest := index.NewDigest()
	err := s.Scan(ctx, func(f index.File) error { digest.Add(f); return nil })
	return digest.String(), err
}

// Scan calls fn for every object, in key order. Markers of folders, which are empty and end with a slash, are none.
func (s *Source) Scan(ctx context.Context, fn func(index.File) error) error {
	l := &listing{api: s.api, workers: workers}
	return l.run(ctx, &segment{prefix: s.folder}, s.file(fn))
}

// ScanPrefix calls fn for every object whose key begins with prefix, in key order.
func (s *Source) ScanPrefix(ctx context.Context, prefix string, fn func(index.File) error) error {
	l := &listing{api: s.api, workers: workers}
	return l.run(ctx, &segment{prefix: s.folder + prefix}, s.file(fn))
}

// ScanFolders calls fn for every object of the folders that visit does not leave out.
func (s *Source) ScanFolders(ctx context.Context, visit func(string) index.Visit, fn func(index.File) error) error {
	l := &listing{api: s.api, workers: workers, plan: visits{s.folder, visit}}
	return l.run(ctx, &segment{prefix: s.folder, mode: walk}, s.file(fn))
}

// ScanMatching calls fn for the objects that a filter may match.
func (s *Source) ScanMatching(ctx context.Context, layout *index.Layout, f index.Filter, fn func(index.File) error) (index.Skipped, error) {
	p, err := newPruning(s.folder, layout, f)
	if err != nil {
		return index.Skipped{}, err
	}
	l := &listing{api: s.api, workers: workers, plan: p}
	err = l.run(ctx, p.first(), s.file(fn))
	return p.skipped, err
}

// DetectLayout judges by the first page of objects, a thousand.
func (s *Source) DetectLayout(ctx context.Context) (*index.Layout, error) {
	p, err := s.api.list(ctx, request{prefix: s.folder})
	if err != nil {
		return nil, err
	}
	detector := index.NewDetector()
	for _, o := range p.objects {
		if !marker(o) {
			detector.Add([]byte(o.key[len(s.folder):]))
		}
	}
	layout, _ := detector.Layout()
	return layout, nil
}

// file turns objects into files of the index.
func (s *Source) file(fn func(index.File) error) func(object) error {
	var key, etag []byte // of the row that is told
	return func(o object) error {
		if marker(o) {
			return nil
		}
		key, etag = append(key[:0], o.key[len(s.folder):]...), append(etag[:0], o.etag...)
		return fn(index.File{Key: key, Size: o.size, ETag: etag, Modified: o.modified})
	}
}

// marker tells whether an object only stands for a folder.
func marker(o object) bool { return o.size == 0 && strings.HasSuffix(o.key, "/") }
