package local

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"github.com/tafc/tafc/runtime/job"
)

// dropDamaged removes the result that an attempt could not read from the store, when it is damaged indeed: then the next plan
// finds it missing and makes it again. The failure says so.
func dropDamaged(ups []job.Upstream, f *job.Failure) {
	if f == nil {
		return
	}
	for _, u := range ups {
		for _, p := range u.Parts {
			if p.Path == f.File && digestOf(p.Path) != p.Digest && os.Remove(p.Path) == nil {
				f.Hint = "it was changed after " + u.Task + " had written it, and is removed: the next apply makes it again"
				return
			}
		}
	}
}

// digestOf is the SHA-256 of a file, empty when it cannot be read.
func digestOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}
