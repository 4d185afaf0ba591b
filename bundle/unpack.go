package bundle

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Unpack writes the files of the bundle into a folder by a function like os.WriteFile. Nobody may change them: their modes
// are 0444, and 0555 for those that are executable.
func (b *Bundle) Unpack(dir string, write func(path string, data []byte, mode fs.FileMode) error) error {
	for _, f := range b.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Path)) {
			return fmt.Errorf("file %q is outside the bundle", f.Path)
		}
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		mode := fs.FileMode(0o444)
		if f.Executable {
			mode = 0o555
		}
		if err := write(path, f.Data, mode); err != nil {
			return err
		}
	}
	return nil
}
