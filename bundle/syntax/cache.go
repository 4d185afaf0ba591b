package syntax

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/internal/atomicfile"
)

// remembered is how many files a cache keeps.
const remembered = 2000

// Cache remembers files that parse, by their content and the interpreter, so that checking an analysis again starts no interpreter.
// What does not parse is asked about again each time. Nil remembers nothing.
type Cache struct {
	path string
	mu   sync.Mutex
	keys []string // oldest first
	new  bool
}

// OpenCache reads the cache of a folder. One that cannot be read is empty.
func OpenCache(dir string) *Cache {
	c := &Cache{path: filepath.Join(dir, "sound-code")}
	if data, err := os.ReadFile(c.path); err == nil && len(data) <= remembered*(sha256.Size*2+1) {
		c.keys = strings.Fields(string(data))
	}
	return c
}

// Save writes what was added. Of two that save at once one is lost, which costs it a question.
func (c *Cache) Save() error {
	if c == nil || !c.new {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o755); err != nil {
		return err
	}
	keys := c.keys[max(0, len(c.keys)-remembered):]
	return atomicfile.WriteBytes(c.path, []byte(strings.Join(keys, "\n")+"\n"), 0o644)
}

func (c *Cache) sound(key string) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.keys, key)
}

func (c *Cache) add(key string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys, c.new = append(c.keys, key), true
}

// key is what the verdict about a file depends on.
func (i interpreter) key(f bundle.Source) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "1 %s %s %s %q\n", i.stamp, f.Language, kind(f), libraries(f))
	b.Write(f.Data)
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:])
}
