package examples_test

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"github.com/tafc/tafc/internal/require"
)

// The generator makes the committed data again. What the compressors write may differ between their versions, so the
// decompressed bytes are compared.
func TestGeneratorMakesTheCommittedData(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("go", "run", "../testdata/gen", "-o", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, folder := range []string{"telemetry", "text"} {
		want, got := contents(t, filepath.Join("../testdata", folder)), contents(t, filepath.Join(dir, folder))
		if diff := cmp.Diff(names(want), names(got)); diff != "" {
			t.Fatalf("%s: files (-committed +generated):\n%s", folder, diff)
		}
		for _, name := range names(want) {
			if !bytes.Equal(want[name], got[name]) {
				t.Errorf("%s/%s is not what the generator makes", folder, name)
			}
		}
	}
}

// testdata/expected is what expected.py computes from the committed data.
func TestExpectedResultsAreComputed(t *testing.T) {
	python := require.Tool(t, "python3")
	require.Tool(t, "zstd")
	for _, e := range examples {
		var stderr bytes.Buffer
		command := exec.Command(python, "../testdata/expected.py", e.name)
		command.Stderr = &stderr
		got, err := command.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", e.name, err, stderr.Bytes())
		}
		want, err := os.ReadFile(filepath.Join("../testdata/expected", e.name+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-committed +computed):\n%s", e.name, diff)
		}
	}
}

// contents is the decompressed files below a folder.
func contents(t *testing.T, root string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		out[name], err = decompress(filepath.Ext(name), data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func decompress(ext string, data []byte) ([]byte, error) {
	var r io.Reader = bytes.NewReader(data)
	var err error
	switch ext {
	case ".lzma":
		r, err = lzma.NewReader(r)
	case ".xz":
		r, err = xz.NewReader(r)
	case ".gz":
		r, err = gzip.NewReader(r)
	case ".zst":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(r); err == nil {
			defer d.Close()
			r = d
		}
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func names(files map[string][]byte) []string { return slices.Sorted(maps.Keys(files)) }
