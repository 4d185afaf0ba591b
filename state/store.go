package state

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// BadFileError says that a result file is not what its report claims.
type BadFileError struct {
	Path   string
	Reason string
}

func (e *BadFileError) Error() string { return fmt.Sprintf("result file %s %s", e.Path, e.Reason) }

// blobPath is where the file with this digest is, or would be.
func (db *DB) blobPath(digest string) string {
	return filepath.Join(db.dir, "store", digest[:2], digest)
}

// ingest moves a file into the store. It checks that the content is what the digest says, because a wrong file under a right
// name would be reused for ever. A file that was moved by an earlier try is fine.
func (db *DB) ingest(path, digest string, size int64) error {
	if !isDigest(digest) {
		return &BadFileError{path, fmt.Sprintf("has no valid digest: %q", digest)}
	}
	blob := db.blobPath(digest)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if has(blob, size) {
			return nil
		}
		return &BadFileError{path, "does not exist"}
	}
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return err
	}
	if n != size {
		return &BadFileError{path, fmt.Sprintf("has %d bytes, the report says %d", n, size)}
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != digest {
		return &BadFileError{path, fmt.Sprintf("has digest %s, the report says %s", got, digest)}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Chmod(path, 0o444); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(blob), 0o755); err != nil {
		return err
	}
	if err := os.Rename(path, blob); err != nil {
		return err
	}
	return syncDir(filepath.Dir(blob))
}

// has tells whether a regular file of this size is there: cheap enough for tens of thousands.
func has(path string, size int64) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() == size
}

func isDigest(s string) bool {
	if len(s) != 2*sha256.Size {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
