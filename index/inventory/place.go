package inventory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/tafc/tafc/internal/s3client"
)

// place is where an inventory is kept.
type place interface {
	String() string // of the manifest
	manifest(context.Context) ([]byte, error)
	checksum(context.Context) (string, error)                    // of the manifest, empty when it has none
	open(ctx context.Context, key string) (io.ReadCloser, error) // a data file
}

const (
	manifestName = "manifest.json"
	checksumName = "manifest.checksum"
	maxManifest  = 256 << 20
)

// folder is a copy of an inventory on this computer.
type folder struct{ path string } // of the manifest

// newFolder finds the manifest that a path means.
func newFolder(path string) (*folder, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s does not exist; write inventory: with the path of a manifest.json or its folder", path)
	case err != nil:
		return nil, err
	case !info.IsDir():
		return &folder{path}, nil
	}
	if _, err := os.Stat(filepath.Join(path, manifestName)); err == nil {
		return &folder{filepath.Join(path, manifestName)}, nil
	}
	dated, err := filepath.Glob(filepath.Join(escapeGlob(path), "*", manifestName))
	if err != nil || len(dated) == 0 {
		return nil, fmt.Errorf("%s has no manifest.json, and no folder in it has one", path)
	}
	return &folder{slices.Max(dated)}, nil // their names are dates
}

func escapeGlob(path string) string {
	if filepath.Separator == '\\' {
		return path // where a backslash escapes nothing
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func (f *folder) String() string { return f.path }

func (f *folder) manifest(context.Context) ([]byte, error) { return os.ReadFile(f.path) }

func (f *folder) checksum(context.Context) (string, error) {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(f.path), checksumName))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}

// open finds a data file by the end of its key, beside the manifest or in a folder above it.
func (f *folder) open(_ context.Context, key string) (io.ReadCloser, error) {
	parts := strings.Split(key, "/")
	if slices.Contains(parts, "..") {
		return nil, errors.New("its key leads out of the inventory")
	}
	for dir := filepath.Dir(f.path); ; dir = filepath.Dir(dir) {
		for i := range parts {
			file, err := os.Open(filepath.Join(dir, filepath.Join(parts[i:]...)))
			if err == nil {
				if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
					return file, nil
				}
				file.Close()
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
		if filepath.Dir(dir) == dir {
			return nil, fmt.Errorf("the data file is neither beside %s nor in a folder above it; copy it there, under its name", f.path)
		}
	}
}

// bucket is an inventory where S3 has written it.
type bucket struct {
	api  *s3client.Bucket
	name string
	key  string // of the manifest
}

// newBucket finds the manifest that an s3:// URL means.
func newBucket(ctx context.Context, url string, config s3client.Config) (*bucket, error) {
	name, key, _ := strings.Cut(strings.TrimPrefix(url, "s3://"), "/")
	if name == "" {
		return nil, fmt.Errorf("%s names no bucket; write inventory:s3://BUCKET/FOLDER", url)
	}
	if err := config.Check(); err != nil {
		return nil, err
	}
	b := &bucket{api: s3client.New(name, config), name: name, key: key}
	if strings.HasSuffix(key, ".json") {
		return b, nil
	}
	return b, b.find(ctx, strings.TrimSuffix(key, "/")+"/")
}

// find takes the manifest of a folder, or the last one of the folders in it.
func (b *bucket) find(ctx context.Context, folder string) error {
	folder = strings.TrimPrefix(folder, "/")
	in := &s3.ListObjectsV2Input{Prefix: &folder, Delimiter: aws.String("/")}
	var last string
	for {
		out, err := b.api.List(ctx, in)
		if err != nil {
			return err
		}
		for _, o := range out.Contents {
			if aws.ToString(o.Key) == folder+manifestName {
				b.key = folder + manifestName
				return nil
			}
		}
		for _, p := range out.CommonPrefixes {
			if found, err := b.has(ctx, aws.ToString(p.Prefix)+manifestName); err != nil {
				return err
			} else if found {
				last = max(last, aws.ToString(p.Prefix)+manifestName)
			}
		}
		if !aws.ToBool(out.IsTruncated) {
			break
		}
		in.ContinuationToken = out.NextContinuationToken
	}
	if last == "" {
		return fmt.Errorf("s3://%s/%s has no manifest.json, and no folder in it has one", b.name, folder)
	}
	b.key = last
	return nil
}

// has tells whether there is an object.
func (b *bucket) has(ctx context.Context, key string) (bool, error) {
	out, err := b.api.List(ctx, &s3.ListObjectsV2Input{Prefix: &key, MaxKeys: aws.Int32(1)})
	return err == nil && len(out.Contents) > 0 && aws.ToString(out.Contents[0].Key) == key, err
}

func (b *bucket) String() string { return "s3://" + b.name + "/" + b.key }

func (b *bucket) manifest(ctx context.Context) ([]byte, error) { return b.read(ctx, b.key) }

func (b *bucket) checksum(ctx context.Context) (string, error) {
	key := strings.TrimSuffix(b.key, manifestName) + checksumName
	if found, err := b.has(ctx, key); err != nil || !found {
		return "", err
	}
	text, err := b.read(ctx, key)
	return strings.TrimSpace(string(text)), err
}

func (b *bucket) read(ctx context.Context, key string) ([]byte, error) {
	body, err := b.open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, maxManifest))
}

func (b *bucket) open(ctx context.Context, key string) (io.ReadCloser, error) {
	return b.api.Open(ctx, key)
}
