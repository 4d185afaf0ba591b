package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/tafc/tafc/internal/s3client"
)

// contentTypes are those of the formats of outputs.
var contentTypes = map[string]string{
	"text": "text/plain; charset=utf-8", "csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson", "json": "application/json",
	formatParquet: "application/vnd.apache.parquet",
}

// writeObject makes an object of a bucket of a result, in one step; copyTo sees the text as well. It is written to this computer first: only then is known
// whether the bucket has it already, and what is sent can be sent again.
func (s *session) writeObject(ctx context.Context, url, format string, r *result, copyTo io.Writer) (unchanged bool, err error) {
	name, key, _ := strings.Cut(strings.TrimPrefix(url, "s3://"), "/")
	f, err := os.CreateTemp(s.state.Dir(), "output-")
	if err != nil {
		return false, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := s.write(ctx, io.MultiWriter(f, copyTo), format, r); err != nil {
		return false, err
	}
	done, err := s3client.New(name, s3client.Config{}).Put(ctx, f, s3client.Upload{Key: key, ContentType: contentTypes[format]})
	if e := (*s3client.Error)(nil); errors.As(err, &e) {
		return false, fmt.Errorf("%s is not written, and what was there is as it was: %w; the results are kept: the next apply writes it", url, err)
	}
	return done.Unchanged, err
}
