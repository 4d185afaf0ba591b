package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/tafc/tafc/runtime/codec"
)

// decompressVerb is how this program calls itself to decompress all files of a folder: NUMBER at once, FOLDER.
const decompressVerb = "__decompress"

// decompression measures decompression alone by what tasks decompress with.
func decompression(ctx context.Context, folder string, workers int) (sample, error) {
	self, err := os.Executable()
	if err != nil {
		return sample{}, err
	}
	return measure(ctx, ".", nil, self, decompressVerb, strconv.Itoa(workers), folder)
}

// decompress prints how many bytes are in the files of a folder.
func decompress(workers, folder string) error {
	n, err := strconv.Atoi(workers)
	if err != nil {
		return err
	}
	files := make(chan string)
	sizes := make([]int64, n)
	var group errgroup.Group
	for i := range n {
		group.Go(func() error {
			buf := make([]byte, 128<<10)
			for name := range files {
				size, err := decompressFile(name, buf)
				if err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				sizes[i] += size
			}
			return nil
		})
	}
	err = filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(name, ".json") {
			files <- name
		}
		return err
	})
	close(files)
	if err := errors.Join(err, group.Wait()); err != nil {
		return err
	}
	sum := int64(0)
	for _, size := range sizes {
		sum += size
	}
	fmt.Println(sum)
	return nil
}

func decompressFile(name string, buf []byte) (size int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	d, err := codec.NewReader(f, codec.Options{Name: name})
	if err != nil {
		return 0, err
	}
	defer d.Close()
	for {
		n, err := d.Read(buf)
		size += int64(n)
		if err == io.EOF {
			return size, nil
		}
		if err != nil {
			return size, err
		}
	}
}

// The names of subjects that goals speak of.
const (
	readXZ   = "xz, as a task reads it"
	readLZMA = "LZMA-alone, as a task reads it"
	toolXZ   = "`xz -dc`"
	toolLZMA = "`xz -dc` of LZMA-alone"
)

// benchDecompress measures reading xz and LZMA-alone, one file after the other, against the tool.
func benchDecompress(ctx context.Context, o options, report *strings.Builder) error {
	var subjects []*subject
	for _, c := range []struct{ ext, read, tool string }{{"xz", readXZ, toolXZ}, {"lzma", readLZMA, toolLZMA}} {
		dir := filepath.Join(o.dir, c.ext)
		if err := generate(ctx, dir, "-bench", "-files", "24", "-total", "0", "-records", "250", "-ext", c.ext); err != nil {
			return err
		}
		data, want := filepath.Join(dir, "telemetry"), ""
		line := "find " + data + " -name '*." + c.ext + "' -print0 | xargs -0 xz -dc | wc -c"
		subjects = append(subjects,
			&subject{name: c.read, run: func(int) (sample, error) {
				s, err := decompression(ctx, data, 1)
				return s, errors.Join(err, same(c.read, &want, total(string(s.stdout))))
			}},
			&subject{name: c.tool, run: func(int) (sample, error) {
				s, err := measure(ctx, ".", nil, "sh", "-c", line)
				return s, errors.Join(err, same(c.tool, &want, total(string(s.stdout))))
			}})
	}
	if err := alternate(o.rounds, subjects); err != nil {
		return err
	}
	report.WriteString("\n## Decompressing 24 files of xz and of LZMA-alone, 60 MB of JSON each\n\n")
	table(report, subjects)
	goals(report, subjects)
	return nil
}
