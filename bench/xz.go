package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/tafc/tafc/runtime/codec"
)

// xzVerb is how this program calls itself to decompress files as a task does.
const xzVerb = "__xz"

// readXZ decompresses files one after another and prints how many bytes there are.
func readXZ(files []string) error {
	var total int64
	for _, name := range files {
		n, err := decompress(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		total += n
	}
	fmt.Println(total)
	return nil
}

func decompress(name string) (int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r, err := codec.NewReader(f, codec.Options{Name: filepath.Base(name)})
	if err != nil {
		return 0, err
	}
	defer r.Close()
	// A block is what a task reads at a time.
	return io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, make([]byte, 256<<10))
}

// benchXZ measures decompression of xz and LZMA-alone on one core and in a whole run, against xz -dc.
func benchXZ(ctx context.Context, o options, report *strings.Builder) error {
	dir := filepath.Join(o.dir, "analysis")
	data := filepath.Join(dir, "telemetry-xz")
	if _, err := os.Stat(data); err != nil {
		err := command(ctx, ".", "go", "run", "github.com/tafc/tafc/testdata/gen", "-files", fmt.Sprint(o.xzFiles), "-records", "250", "-ext", "lzma,xz", "-text=false", "-o", data)
		if err != nil {
			return err
		}
	}
	for _, ext := range []string{".xz", ".lzma"} {
		if err := xzOfOneKind(ctx, o, data, ext, report); err != nil {
			return err
		}
	}
	return xzWhole(ctx, o, dir, data, report)
}

// xzOfOneKind compares the reader of a task with the program on one core.
func xzOfOneKind(ctx context.Context, o options, data, ext string, report *strings.Builder) error {
	files, err := filesOf(data, ext)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// One core, so that a garbage collector beside the reader gains nothing.
	one := func(name string, args ...string) (sample, error) {
		return measure(ctx, o.dir, nil, "taskset", append([]string{"-c", "0", name}, args...)...)
	}
	var bytes string
	subjects := []*subject{
		{name: "as a task reads it", run: func(int) (sample, error) {
			s, err := one(self, append([]string{xzVerb}, files...)...)
			bytes = strings.TrimSpace(string(s.stdout))
			return s, err
		}},
		{name: "`xz -dc`, once for all files", run: func(int) (sample, error) {
			return one("sh", append([]string{"-c", `xz -dc "$@" >/dev/null`, "sh"}, files...)...)
		}},
	}
	if err := alternate(o.rounds, subjects); err != nil {
		return err
	}
	fmt.Fprintf(report, "\n## Decompressing %d %s files, %s bytes of JSON, on one core\n\n", len(files), ext, bytes)
	table(report, subjects)
	return nil
}

// xzWhole compares a whole run of an operation with decompression alone, on all cores.
func xzWhole(ctx context.Context, o options, dir, data string, report *strings.Builder) error {
	files, err := filesOf(data, ".xz", ".lzma")
	if err != nil {
		return err
	}
	states := filepath.Join(o.dir, "state")
	defer os.RemoveAll(states)
	subjects := []*subject{
		{name: "`tafc run`, count_by", run: func(round int) (sample, error) {
			state := filepath.Join(states, fmt.Sprintf("xz-%d", round))
			defer os.RemoveAll(state)
			return measure(ctx, dir, []string{"TAF_STATE=" + state}, o.tafc, "run", "xz.taf.hcl")
		}},
		{name: "`xargs -P -n 8 xz -dc`, decompression alone", run: func(int) (sample, error) {
			script := fmt.Sprintf(`printf '%%s\0' "$@" | xargs -0 -P %d -n 8 xz -dc >/dev/null`, runtime.NumCPU())
			return measure(ctx, dir, nil, "sh", append([]string{"-c", script, "sh"}, files...)...)
		}},
	}
	if err := alternate(o.rounds, subjects); err != nil {
		return err
	}
	fmt.Fprintf(report, "\n## Counting over %d .xz and .lzma files, on all cores\n\n", len(files))
	table(report, subjects)
	return nil
}

// filesOf are the files of a folder with these extensions, in order.
func filesOf(root string, exts ...string) (files []string, err error) {
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && slices.Contains(exts, filepath.Ext(name)) {
			files = append(files, name)
		}
		return err
	})
	slices.Sort(files)
	return files, err
}
