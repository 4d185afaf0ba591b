package slugid

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"regexp"
	"sync"
)

// Pattern is the pattern that the queue demands of a task id.
const Pattern = `^[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$`

var pattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(Pattern) })

// Valid says whether s is an id that Taskcluster accepts; ids that others made may start with "-".
func Valid(s string) bool { return pattern().MatchString(s) }

// New draws a random id.
func New() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return FromBytes(b)
}

// Derive makes the id of a thing that has these names: always the same for the same names in the same order. Names are told apart, so
// that "a", "bc" and "ab", "c" are two things.
func Derive(names ...string) string {
	h := sha256.New()
	for _, name := range names {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(name))))
		h.Write([]byte(name))
	}
	return FromBytes([16]byte(h.Sum(nil)))
}

// FromBytes makes an id of 16 bytes. Seven bits are lost: those of the version and the variant, and the first one.
func FromBytes(b [16]byte) string {
	b[0] &= 0x7f
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return base64.RawURLEncoding.EncodeToString(b[:])
}
