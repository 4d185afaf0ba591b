package codec_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz/lzma"

	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/runtime/codec"
)

func decompress(data []byte, name string) ([]byte, codec.Format, error) {
	r, err := codec.NewReader(bytes.NewReader(data), codec.Options{Name: name})
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	out, err := io.ReadAll(r)
	return out, r.Format(), err
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var goldens = []struct {
	file   string
	want   string
	format codec.Format
}{
	{"multi.gz", "multi.txt", codec.Gzip},
	{"multi.zst", "multi.txt", codec.Zstd},
	{"nocheck.zst", "one.txt", codec.Zstd},
	{"multi.bz2", "multi.txt", codec.Bzip2},
	{"multi.xz", "multi.txt", codec.XZ},
	{"blocks.xz", "one.txt", codec.XZ},
	{"nocheck.xz", "one.txt", codec.XZ},
	{"unknown.lzma", "one.txt", codec.LZMA},
	{"known-marker.lzma", "one.txt", codec.LZMA},
	{"multi.lz4", "multi.txt", codec.LZ4},
	{"nocrc.lz4", "one.txt", codec.LZ4},
	{"one.txt", "one.txt", codec.None},
}

func TestGolden(t *testing.T) {
	for _, g := range goldens {
		for _, name := range []string{g.file, "no-extension"} {
			got, format, err := decompress(read(t, g.file), name)
			if err != nil || format != g.format {
				t.Errorf("%s as %s: format %q, error %v", g.file, name, format, err)
			}
			if diff := cmp.Diff(string(read(t, g.want)), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", g.file, diff)
			}
		}
	}
}

// A file cut anywhere is an error, unless the cut is where one of its streams ends: then it is a whole file of fewer streams.
func TestTruncatedAnywhere(t *testing.T) {
	for _, g := range goldens {
		if g.format == codec.None {
			continue
		}
		data, whole := read(t, g.file), read(t, "one.txt")
		for cut := range data {
			got, _, err := decompress(data[:cut], g.file)
			if err == nil {
				if !strings.HasPrefix(g.file, "multi") || len(got) > 0 && !bytes.Equal(got, whole) && !bytes.Equal(got, read(t, "multi.txt")) {
					t.Errorf("%s cut at %d of %d: no error, %d bytes", g.file, cut, len(data), len(got))
				}
				continue
			}
			var corrupt *codec.CorruptError
			if !errors.As(err, &corrupt) {
				t.Errorf("%s cut at %d: %v is not a CorruptError", g.file, cut, err)
			}
			if !bytes.HasPrefix(read(t, "multi.txt"), got) {
				t.Errorf("%s cut at %d: wrong bytes before the error", g.file, cut)
			}
		}
	}
}

func TestTrailingGarbage(t *testing.T) {
	for _, g := range goldens {
		if g.format == codec.None {
			continue
		}
		for _, garbage := range []string{"x", "B", "garbage after the end\n", "\x00", "\x1f", "\x28\xb5", "\xfd7zXZ"} {
			_, _, err := decompress(append(read(t, g.file), garbage...), g.file)
			var corrupt *codec.CorruptError
			if !errors.As(err, &corrupt) {
				t.Errorf("%s followed by %q: %v, want a CorruptError", g.file, garbage, err)
			}
		}
	}
}

func TestFlippedBytesNeverPanic(t *testing.T) {
	for _, g := range goldens {
		data := read(t, g.file)
		for i := range data {
			flipped := bytes.Clone(data)
			flipped[i] ^= 0x55
			_, _, _ = decompress(flipped, g.file)
		}
	}
}

func TestConcatenatedLZMAIsCorrupt(t *testing.T) {
	data := read(t, "unknown.lzma")
	_, _, err := decompress(append(bytes.Clone(data), data...), "a.lzma")
	if !errors.Is(err, codec.ErrTrailing) {
		t.Errorf("got %v, want ErrTrailing", err)
	}
}

func lzmaKnown(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := lzma.WriterConfig{Size: int64(len(text)), SizeInHeader: true}.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLZMAOfKnownSize(t *testing.T) {
	text := read(t, "one.txt")
	data := lzmaKnown(t, text)
	got, format, err := decompress(data, "a")
	if err != nil || format != codec.LZMA || !bytes.Equal(got, text) {
		t.Fatalf("format %q, %d bytes, %v", format, len(got), err)
	}
	for cut := range data {
		if _, _, err := decompress(data[:cut], "a.lzma"); err == nil {
			t.Errorf("cut at %d of %d: no error", cut, len(data))
		}
	}
	if _, _, err := decompress(append(data, 'x'), "a"); !errors.Is(err, codec.ErrTrailing) {
		t.Errorf("with a byte more: %v", err)
	}
}

func TestEmptyLZMAOfKnownSize(t *testing.T) {
	header := "\x5d\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	for name, body := range map[string]string{"without end mark": "\x00\x00\x00\x00\x00", "with end mark": "\x00\x83\xff\xfb\xff\xff\xc0\x00\x00\x00"} {
		whole := []byte(header + body)
		if got, format, err := decompress(whole, "a"); err != nil || format != codec.LZMA || len(got) != 0 {
			t.Errorf("%s: %q, %d bytes, %v", name, format, len(got), err)
		}
		for cut := range whole {
			if _, _, err := decompress(whole[:cut], "a.lzma"); !errors.Is(err, codec.ErrTruncated) {
				t.Errorf("%s, cut at %d: %v", name, cut, err)
			}
		}
		if _, _, err := decompress(append(whole, 0), "a"); !errors.Is(err, codec.ErrTrailing) {
			t.Errorf("%s, with a byte more: %v", name, err)
		}
	}
}

func TestWhatIsNotCompressed(t *testing.T) {
	for _, text := range []string{"", "]", "]]> text, longer than a header of LZMA\n", "BZh? text", "BZh9 is a text too", "(", "\x5d\x00\x00", "{\"a\":1}\n"} {
		got, format, err := decompress([]byte(text), "data.json")
		if err != nil || format != codec.None || string(got) != text {
			t.Errorf("%q: %q, format %q, %v", text, got, format, err)
		}
	}
}

func TestNames(t *testing.T) {
	tests := []struct {
		name, data string
		format     codec.Format // empty: corrupt
		misnamed   bool
	}{
		{"a.gz", "plain text\n", codec.None, true},
		{"a.txt", string(read(t, "multi.gz")), codec.Gzip, false},
		{"a.xz", string(read(t, "multi.gz")), codec.Gzip, true},
		{"a.gz", "", "", false},
		{"a.lzma", "", "", false},
		{"a.gz", "\x00\x01\x02 no header", "", false},
		{"a.lzma", "\x5d\x01\x02\x03\x04\xff\xff\xff\xff\xff\xff\xff\xff\x00data", "", false},
		{"a.lz4", "\x02\x21\x4c\x18legacy", "", false},
	}
	for _, tt := range tests {
		r, err := codec.NewReader(strings.NewReader(tt.data), codec.Options{Name: tt.name})
		var corrupt *codec.CorruptError
		switch {
		case tt.format == "" && !errors.As(err, &corrupt):
			t.Errorf("%s %q: %v, want a CorruptError", tt.name, tt.data, err)
		case tt.format != "" && (err != nil || r.Format() != tt.format || r.Misnamed() != tt.misnamed):
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestSourceErrorsAreNotCorruption(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, g := range goldens {
		data := read(t, g.file)
		for _, at := range []int{0, 1, len(data) / 2, len(data)} {
			r, err := codec.NewReader(io.MultiReader(bytes.NewReader(data[:at]), iotest.ErrReader(broken)), codec.Options{Name: g.file})
			if err == nil {
				_, err = io.ReadAll(r)
			}
			var source *codec.SourceError
			if !errors.As(err, &source) || !errors.Is(err, broken) {
				t.Errorf("%s broken at %d: %v", g.file, at, err)
			}
		}
	}
}

func TestSmallReads(t *testing.T) {
	for _, g := range goldens {
		r, err := codec.NewReader(iotest.DataErrReader(iotest.OneByteReader(bytes.NewReader(read(t, g.file)))), codec.Options{})
		if err != nil {
			t.Fatal(g.file, err)
		}
		got, err := io.ReadAll(iotest.OneByteReader(r))
		if err != nil || !bytes.Equal(got, read(t, g.want)) || r.Offset() != int64(len(got)) {
			t.Errorf("%s: %d bytes, offset %d, %v", g.file, len(got), r.Offset(), err)
		}
	}
}

func TestWindowLimit(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	tests := []struct {
		tool string
		args []string
	}{
		{"xz", []string{"-c", "--lzma2=dict=64MiB"}},
		{"lzma", []string{"-c", "--lzma1=dict=64MiB"}},
		{"zstd", []string{"-qc", "--long=26"}},
	}
	for _, tt := range tests {
		t.Run(tt.tool, func(t *testing.T) {
			data := run(t, tt.tool, tt.args, bytes.Repeat(big, 4))
			r, err := codec.NewReader(bytes.NewReader(data), codec.Options{MaxWindow: 2 << 20})
			if err == nil {
				_, err = io.Copy(io.Discard, r)
			}
			var window *codec.WindowError
			if !errors.As(err, &window) || window.Limit != 2<<20 {
				t.Errorf("got %v, want a WindowError", err)
			}
		})
	}
}

func run(t testing.TB, tool string, args []string, in []byte) []byte {
	t.Helper()
	cmd := exec.Command(require.Tool(t, tool), args...)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	return out
}

func TestTools(t *testing.T) {
	texts := map[string][]byte{
		"empty": {}, "byte": {'x'}, "zeros": make([]byte, 300_000),
		"text": bytes.Repeat([]byte("records of nested JSON, and more of them\n"), 20_000),
	}
	tools := []struct {
		name   string
		args   []string
		format codec.Format
	}{
		{"gzip", []string{"-c"}, codec.Gzip}, {"zstd", []string{"-qc"}, codec.Zstd}, {"zstd", []string{"-qc", "-19", "--long"}, codec.Zstd},
		{"bzip2", []string{"-c"}, codec.Bzip2}, {"xz", []string{"-c", "-T2", "--block-size=65536"}, codec.XZ}, {"xz", []string{"-c", "--check=sha256"}, codec.XZ},
		{"lzma", []string{"-c"}, codec.LZMA}, {"lz4", []string{"-qc"}, codec.LZ4}, {"lz4", []string{"-qc", "-B4", "-BD", "-BX"}, codec.LZ4},
	}
	for _, tool := range tools {
		t.Run(tool.name+strings.Join(tool.args, ""), func(t *testing.T) {
			for what, text := range texts {
				got, format, err := decompress(run(t, tool.name, tool.args, text), "data")
				if err != nil || format != tool.format || !bytes.Equal(got, text) {
					t.Errorf("%s: format %q, %d bytes of %d, %v", what, format, len(got), len(text), err)
				}
			}
		})
	}
}

func FuzzReader(f *testing.F) {
	for _, g := range goldens {
		f.Add(read(f, g.file), g.file)
	}
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		r, err := codec.NewReader(bytes.NewReader(data), codec.Options{Name: name, MaxWindow: 1 << 20})
		if err == nil {
			_, err = io.Copy(io.Discard, io.LimitReader(r, 8<<20))
		}
		var corrupt *codec.CorruptError
		var window *codec.WindowError
		if err != nil && !errors.As(err, &corrupt) && !errors.As(err, &window) {
			t.Errorf("error of no known kind: %v", err)
		}
	})
}
