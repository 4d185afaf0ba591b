package compile

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tafc/tafc/internal/diag"
)

// testFiles reports sample files of tests that are not there.
func (r *resolver) testFiles() {
	for _, t := range r.a.Tests {
		for _, name := range t.Files {
			info, err := r.stat(name)
			why := ""
			switch {
			case err != nil:
				why = "is not there, or cannot be read"
			case info.IsDir():
				why = "is a folder, and a test reads single files"
			}
			if why != "" {
				r.diags = append(r.diags, diag.Error("lang/missing-test-file", "No such sample file",
					fmt.Sprintf("The sample file %q %s. Its path is relative to the folder of the analysis.", name, why), t.Range("input")))
			}
		}
	}
}

// stat looks at a file of the analysis' folder, or at one outside of it.
func (r *resolver) stat(name string) (fs.FileInfo, error) {
	clean := filepath.ToSlash(filepath.Clean(filepath.FromSlash(name)))
	if fs.ValidPath(clean) {
		return fs.Stat(r.w.FS, clean)
	}
	if !filepath.IsAbs(clean) {
		clean = filepath.Join(r.a.Dir, clean)
	}
	return os.Stat(clean)
}
