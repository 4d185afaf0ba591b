package agent

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPackAndUnpack(t *testing.T) {
	files := []File{{Path: "lib/util.py", Data: []byte("x = 1\n")}, {Path: "mapper.py", Data: []byte("import lib.util\n")}, {Path: "run.sh", Executable: true}}
	archive, digest, err := Pack(files)
	if err != nil {
		t.Fatal(err)
	}
	again, digest2, _ := Pack(files)
	if !bytes.Equal(archive, again) || digest != digest2 {
		t.Error("two archives of the same files differ")
	}
	dir := filepath.Join(t.TempDir(), "code")
	if err := unpack(bytes.NewReader(archive), dir); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Path)
		data, err := os.ReadFile(path)
		info, err2 := os.Stat(path)
		if err != nil || err2 != nil || !bytes.Equal(data, f.Data) || (info.Mode()&0o111 != 0) != f.Executable || info.Mode()&0o222 != 0 {
			t.Errorf("%s: %q with mode %v, %v", f.Path, data, info.Mode(), err)
		}
	}
	for cut := range len(archive) {
		if err := unpack(bytes.NewReader(archive[:cut]), filepath.Join(t.TempDir(), "code")); err == nil {
			t.Fatalf("an archive cut to %d of %d bytes was unpacked", cut, len(archive))
		}
	}
}

func TestUnpackKeepsToItsFolder(t *testing.T) {
	for name, h := range map[string]tar.Header{
		"above":    {Typeflag: tar.TypeReg, Name: "../evil"},
		"absolute": {Typeflag: tar.TypeReg, Name: "/evil"},
		"within":   {Typeflag: tar.TypeReg, Name: "a/../../evil"},
		"windows":  {Typeflag: tar.TypeReg, Name: `..\evil`},
		"link":     {Typeflag: tar.TypeSymlink, Name: "link", Linkname: "/etc"},
		"hardlink": {Typeflag: tar.TypeLink, Name: "link", Linkname: "/etc/passwd"},
		"device":   {Typeflag: tar.TypeChar, Name: "null"},
	} {
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		w.Close()
		parent := t.TempDir()
		if err := unpack(bytes.NewReader(encoder().EncodeAll(out.Bytes(), nil)), filepath.Join(parent, "code")); err == nil {
			t.Errorf("%s: unpacked", name)
		}
		left, _ := filepath.Glob(filepath.Join(parent, "*", "*"))
		if above, _ := os.ReadDir(parent); len(above) != 1 || len(left) != 0 {
			t.Errorf("%s: left %v and %v", name, above, left)
		}
	}
	if _, _, err := Pack([]File{{Path: "../evil"}}); err == nil {
		t.Error("a path above was packed")
	}
}

func TestChunksHoldTheArchive(t *testing.T) {
	archive := bytes.Repeat([]byte("0123456789"), MaxChunk/4)
	chunks, err := Chunks(archive)
	if err != nil || len(chunks) != 3 {
		t.Fatalf("%d chunks, %v", len(chunks), err)
	}
	var got []byte
	for _, c := range chunks {
		data, err := base64.StdEncoding.DecodeString(c)
		if err != nil || len(c) >= 1<<20 {
			t.Fatal(len(c), err)
		}
		got = append(got, data...)
	}
	if !bytes.Equal(got, archive) {
		t.Error("the chunks are not the archive")
	}
	if _, err := Chunks(make([]byte, MaxCarried+1)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("too large an archive: %v", err)
	}
}
