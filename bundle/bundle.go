package bundle

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// The languages of an entry file.
const (
	Python     = "python"
	JavaScript = "javascript"
	Program    = "program"
)

// MaxSize is how many bytes of code a bundle may hold. Bigger things belong in the image.
const MaxSize = 32 << 20

// Bundle is the user's code, addressed by its content. It is immutable.
type Bundle struct {
	Entry     string              `json:"entry"`               // slash path of the entry file inside the bundle
	Language  string              `json:"language"`            // python, javascript, or program (run as it is)
	Files     []File              `json:"files"`               // sorted by path
	Functions map[string]Function `json:"functions,omitempty"` // of the entry file, by name; empty for a program
}

// Source is a file of code that was looked into: the entry, or what it imports.
type Source struct {
	Path     string
	Language string // Python or JavaScript
	Module   bool   // of a .js file: the nearest package.json says that it is an ES module
	Data     []byte

	// Libraries are the modules that Python code imports and that are neither in the folder nor Python's own. They must be installed
	// where the code runs. Imports that may fail are not among them.
	Libraries []Library
}

// Library is an import of a module from outside.
type Library struct {
	Name string // of the top-level module
	Line int
}

// File is one file of a bundle.
type File struct {
	Path       string `json:"path"`   // slash-separated, relative to the analysis' folder
	Digest     string `json:"digest"` // SHA-256 of Data, hex
	Executable bool   `json:"executable,omitempty"`
	Data       []byte `json:"data"` // base64 in JSON
}

// Function is a top-level function of the entry file, found without running it.
type Function struct {
	Params   int  `json:"params"`             // declared positional parameters
	Optional int  `json:"optional,omitempty"` // how many of Params have a default
	Variadic bool `json:"variadic,omitempty"` // takes any number; also set for a value whose parameters cannot be seen
	Line     int  `json:"line"`
}

// Problem is what is wrong with the code, with its place.
type Problem struct {
	Code string // such as bundle/missing-file
	Path string // file it is about, relative to the analysis
	Line int    // from 1, 0 when unknown
	// Column, EndLine and EndColumn count from 1, columns in code points; 0 when only the line is known. The end is exclusive.
	Column, EndLine, EndColumn int

	Summary string
	Detail  string
	Warning bool
}

// String is the problem on one line.
func (p Problem) String() string {
	place := p.Path
	if p.Line > 0 {
		place = fmt.Sprintf("%s:%d", p.Path, p.Line)
	}
	return fmt.Sprintf("%s: %s: %s [%s]", place, p.Summary, p.Detail, p.Code)
}

// Digest is the identity of the bundle, in hex: it changes when the entry, a path, a content or an executable bit does.
func (b *Bundle) Digest() string {
	h := sha256.New()
	text := func(s string) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	text("taf-bundle-1")
	text(b.Entry)
	for _, f := range b.Files {
		text(f.Path)
		text(f.Digest)
		if f.Executable {
			text("x")
		} else {
			text("")
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Size is how many bytes the files hold together.
func (b *Bundle) Size() int64 {
	var n int64
	for _, f := range b.Files {
		n += int64(len(f.Data))
	}
	return n
}
