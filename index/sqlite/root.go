package sqlite

import (
	"path/filepath"
	"strings"

	"github.com/tafc/tafc/index"
)

// relativeRoot is how the root of a source is stored: relative to the folder of the index file when one of the two
// folders lies in the other (somebody who moves one moves both), with slashes, else as it is.
func relativeRoot(root, folder string) string {
	path, local := index.FilePath(root)
	if !local {
		return root
	}
	relative, err := filepath.Rel(folder, path)
	if err != nil {
		return root
	}
	relative = filepath.ToSlash(relative)
	inside := relative != ".." && !strings.HasPrefix(relative, "../")
	around := strings.Trim(relative, "./") == ""
	if !inside && !around {
		return root
	}
	return relative
}

// resolveRoot is the URL of a stored root: itself, or that of the path relative to the folder of the index file.
func resolveRoot(root, folder string) string {
	if root == "" || strings.Contains(root, "://") {
		return root
	}
	path := filepath.FromSlash(root)
	if !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	return index.FileURL(path)
}
