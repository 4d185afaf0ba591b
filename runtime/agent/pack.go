package agent

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// File is one file of the user's code.
type File struct {
	Path       string // with slashes, relative
	Executable bool
	Data       []byte
}

// maxUnpacked is how many bytes the files of an archive may have together; a bundle has fewer.
const maxUnpacked = 256 << 20

// Pack makes the archive of the user's code: tar, compressed by zstd. Equal files make equal archives.
func Pack(files []File) (archive []byte, digest string, err error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		if err := safe(f.Path); err != nil {
			return nil, "", err
		}
		mode := int64(0o444)
		if f.Executable {
			mode = 0o555
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.Path, Mode: mode, Size: int64(len(f.Data))}); err != nil {
			return nil, "", fmt.Errorf("pack %s: %w", f.Path, err)
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, "", fmt.Errorf("pack %s: %w", f.Path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	archive = encoder().EncodeAll(out.Bytes(), nil)
	sum := sha256.Sum256(archive)
	return archive, hex.EncodeToString(sum[:]), nil
}

// safe refuses paths that lead out of the folder that an archive is unpacked in.
func safe(name string) error {
	if name == "" || path.Clean(name) != name || strings.ContainsAny(name, "\\\x00") || !filepath.IsLocal(filepath.FromSlash(name)) {
		return fmt.Errorf("the code has a file with the path %q, which leads out of its folder or is not written in the simplest way", name)
	}
	return nil
}

// unpack writes the files of an archive into a new folder, which nobody may change afterwards.
func unpack(archive io.Reader, dir string) error {
	z, err := zstd.NewReader(archive, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxUnpacked))
	if err != nil {
		return err
	}
	defer z.Close()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	r := tar.NewReader(io.LimitReader(z, maxUnpacked))
	for files := 0; ; files++ {
		h, err := r.Next()
		if errors.Is(err, io.EOF) && files > 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the archive of the code is damaged: %w", err)
		}
		if h.Typeflag != tar.TypeReg {
			return fmt.Errorf("the archive of the code holds %q, which is no file", h.Name)
		}
		if err := safe(h.Name); err != nil {
			return err
		}
		if err := unpackFile(root, h, r); err != nil {
			return err
		}
	}
}

func unpackFile(root *os.Root, h *tar.Header, r io.Reader) error {
	if parent := path.Dir(h.Name); parent != "." {
		if err := root.MkdirAll(filepath.FromSlash(parent), 0o755); err != nil {
			return err
		}
	}
	mode := os.FileMode(0o444)
	if h.Mode&0o111 != 0 {
		mode = 0o555
	}
	f, err := root.OpenFile(filepath.FromSlash(h.Name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return fmt.Errorf("unpack %s: %w", h.Name, err)
	}
	return f.Close()
}
