package bundle

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// UnmarshalJSON is the inverse of the JSON form, which is that of the struct with base64 data. It refuses a document whose
// files do not fit their digests or would not stay inside the folder that they are written to.
func (b *Bundle) UnmarshalJSON(data []byte) error {
	type plain Bundle
	var read plain
	if err := json.Unmarshal(data, &read); err != nil {
		return fmt.Errorf("read bundle: %w", err)
	}
	if !slices.IsSortedFunc(read.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) }) {
		return fmt.Errorf("read bundle: its files are not sorted")
	}
	found := false
	for i, f := range read.Files {
		switch {
		case !fs.ValidPath(f.Path) || f.Path == ".":
			return fmt.Errorf("read bundle: %q is not a path inside the bundle", f.Path)
		case digest(f.Data) != f.Digest:
			return fmt.Errorf("read bundle: the content of %s does not fit its digest", f.Path)
		case i > 0 && f.Path == read.Files[i-1].Path:
			return fmt.Errorf("read bundle: %s is in it twice", f.Path)
		}
		found = found || f.Path == read.Entry
	}
	if !found {
		return fmt.Errorf("read bundle: the entry file %q is not among its files", read.Entry)
	}
	*b = Bundle(read)
	return nil
}

// WriteTo writes the files below dir, which need not exist, with their executable bits. Existing files are replaced.
func (b *Bundle) WriteTo(dir string) error {
	for _, f := range b.Files {
		local, err := filepath.Localize(f.Path)
		if err != nil {
			return fmt.Errorf("write code: %q: %w", f.Path, err)
		}
		name := filepath.Join(dir, local)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return fmt.Errorf("write code: %w", err)
		}
		mode := fs.FileMode(0o644)
		if f.Executable {
			mode = 0o755
		}
		if err := os.WriteFile(name, f.Data, mode); err != nil {
			return fmt.Errorf("write code: %w", err)
		}
		// WriteFile keeps the mode of a file that was there, and the umask may have taken bits away.
		if err := os.Chmod(name, mode); err != nil {
			return fmt.Errorf("write code: %w", err)
		}
	}
	return nil
}
