package state

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Cache is what plans keep for the next plan. It is a folder of files that may be removed at any time; what cannot be read or
// written is as if it were not there. Gc empties it.
type Cache struct {
	dir     string
	program string
}

// These bound the folder: the files that were used last are kept.
const (
	cacheFiles = 32
	cacheBytes = 512 << 20
)

// Cache is the cache of one version of a program: what another version wrote is not found.
func (db *DB) Cache(program string) *Cache {
	return &Cache{dir: filepath.Join(db.dir, cacheDir), program: program}
}

const cacheDir = "cache"

func (m *Cache) path(key string) string {
	sum := sha256.Sum256([]byte(m.program + "\n" + key))
	return filepath.Join(m.dir, hex.EncodeToString(sum[:16])+".plan")
}

// Load returns what was stored under a key last, or nil.
func (m *Cache) Load(key string) []byte {
	path := m.path(key)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // only makes it older than it is
	return data
}

// Store is best effort. A crash can leave half of a file: who stores must be able to tell.
func (m *Cache) Store(key string, data []byte) {
	if os.MkdirAll(m.dir, 0o755) != nil {
		return
	}
	f, err := os.CreateTemp(m.dir, "*.tmp")
	if err != nil {
		return
	}
	_, err = f.Write(data)
	if err = cmp.Or(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), m.path(key))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return
	}
	m.forget()
}

// forget removes the files that were not used for longest, and what crashes left, until the rest is within the bounds.
func (m *Cache) forget() {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return
	}
	var files []os.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && (strings.HasSuffix(e.Name(), ".plan") || time.Since(info.ModTime()) > time.Hour) {
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b os.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	var bytes int64
	for i, f := range files {
		if bytes += f.Size(); i >= cacheFiles || bytes > cacheBytes || !strings.HasSuffix(f.Name(), ".plan") {
			_ = os.Remove(filepath.Join(m.dir, f.Name()))
		}
	}
}
