package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tafc/tafc/bundle"
)

// SaveBundle writes the files of a bundle to BundleDir(digest), all or nothing and read-only. A bundle that is there already
// is left as it is, unless somebody has changed it.
func (db *DB) SaveBundle(digest string, b *bundle.Bundle) error {
	if !isDigest(digest) {
		return fmt.Errorf("save bundle: %q is not a SHA-256", digest)
	}
	final := db.BundleDir(digest)
	if _, err := os.Lstat(final); err == nil {
		if intact(final, b) {
			return sealFolders(final) // a kill may have come between the rename and the seal
		}
		if err := removeTree(final); err != nil {
			return fmt.Errorf("save bundle: %w", err)
		}
	}
	tmp, err := os.MkdirTemp(filepath.Join(db.dir, "bundles"), "new-")
	if err != nil {
		return fmt.Errorf("save bundle: %w", err)
	}
	defer removeTree(tmp)
	if err := writeBundle(tmp, b); err != nil {
		return fmt.Errorf("save bundle: %w", err)
	}
	if err := os.Rename(tmp, final); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, there := os.Lstat(final); there == nil { // another one was faster
			return nil
		}
		return fmt.Errorf("save bundle: %w", err)
	}
	return sealFolders(final)
}

// intact tells whether a folder has the files of a bundle as they were.
func intact(dir string, b *bundle.Bundle) bool {
	for _, f := range b.Files {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Path)))
		if err != nil || !bytes.Equal(data, f.Data) {
			return false
		}
	}
	return true
}

// BundleDir is the folder with the files of a bundle, absolute.
func (db *DB) BundleDir(digest string) string { return filepath.Join(db.dir, "bundles", digest) }

func writeBundle(dir string, b *bundle.Bundle) error {
	if err := b.Unpack(dir, writeSynced); err != nil {
		return err
	}
	return syncDir(dir)
}

func writeSynced(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// sealFolders makes folders read-only, so that user code that writes beside itself (a byte-code cache, a scratch file) does
// not change what later tasks see. It is done after the rename, because a folder that cannot be written cannot be renamed
// everywhere.
func sealFolders(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		return os.Chmod(path, 0o555)
	})
}

// removeTree removes a folder whose folders may be read-only.
func removeTree(dir string) error {
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		return os.Chmod(path, 0o755)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(dir)
}
