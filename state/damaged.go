package state

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"github.com/tafc/tafc/runtime/job"
)

// DropDamaged removes a file of a result from the store when it is not what was put there; the result then counts as missing,
// so that the next plan makes it again. It tells whether the file was damaged and is gone.
func (db *DB) DropDamaged(p job.Part) bool {
	if p.Path != db.blobPath(p.Digest) {
		return false
	}
	f, err := os.Open(p.Path)
	if err != nil {
		return false
	}
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	f.Close()
	if err == nil && hex.EncodeToString(sum.Sum(nil)) == p.Digest {
		return false
	}
	return os.Remove(p.Path) == nil
}
