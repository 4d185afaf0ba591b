package agent

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Sizes, in bytes.
const (
	// MaxEnv is the longest encoded Document that goes into the environment: workers put longer variables on a command line.
	MaxEnv = 60_000
	// MaxExtra is the longest encoded Document that goes into the definition of its task, which may have 10 MB.
	MaxExtra = 8 << 20
	// MaxInline is the largest archive of code that goes into the Document.
	MaxInline = 32 << 10
	// MaxChunk is how much of an archive one carrier holds. Its definition stays well below 1 MB.
	MaxChunk = 512 << 10
	// MaxCarried is the largest archive that carriers hold.
	MaxCarried = 16 << 20
	// maxDecoded bounds what a compressed Document can grow to.
	maxDecoded = 64 << 20
)

var encoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		panic(err) // the options are constants
	}
	return e
})

var decoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDecoded))
	if err != nil {
		panic(err) // the options are constants
	}
	return d
})

// Encode makes a text of a Document: JSON, zstd, base64. Equal documents have equal texts.
func (d *Document) Encode() (string, error) {
	if err := d.Check(); err != nil {
		return "", err
	}
	data, err := json.Marshal(d)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(encoder().EncodeAll(data, nil)), nil
}

// Decode reads what Encode made.
func Decode(text string) (*Document, error) {
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("the document of the task is not base64: %w", err)
	}
	data, err := decoder().DecodeAll(packed, nil)
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return nil, fmt.Errorf("the document of the task is larger than %d MiB", maxDecoded>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("the document of the task is not zstd: %w", err)
	}
	return parse(data)
}

// Placement is what goes into the definition of a task, so that its agent finds the Document.
type Placement struct {
	Env   map[string]string // besides the payload's own; empty when Extra holds the Document
	Extra ExtraDocument     // for extra.tafc, merged with what else is there; empty when Env holds it
	Proxy bool              // whether the agent must talk to Taskcluster through the proxy
}

// ExtraDocument is what the agent reads of extra.tafc of a task's definition.
type ExtraDocument struct {
	Document string `json:"document,omitempty"`
	Code     string `json:"code,omitempty"` // of a carrier: base64 of a chunk of an archive
}

// TooLargeError tells that something does not fit into task definitions.
type TooLargeError struct {
	What      string // document, code
	Size, Max int64  // bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the %s of a task has %d bytes, and at most %d fit into task definitions", e.What, e.Size, e.Max)
}

// Place chooses by size where a Document goes.
func (d *Document) Place() (Placement, error) {
	text, err := d.Encode()
	if err != nil {
		return Placement{}, err
	}
	p := Placement{Proxy: len(d.Upstream) > 0 || len(d.Secrets) > 0 || d.Buckets != nil || d.Code != nil && len(d.Code.Carriers) > 0}
	switch {
	case len(text) <= MaxEnv:
		p.Env = map[string]string{EnvDocument: text}
	case len(text) <= MaxExtra:
		p.Extra.Document, p.Proxy = text, true
	default:
		return p, &TooLargeError{What: "document", Size: int64(len(text)), Max: MaxExtra}
	}
	return p, nil
}

// Chunks cuts an archive into what carriers hold, each as the text for extra.tafc.code.
func Chunks(archive []byte) ([]string, error) {
	if len(archive) > MaxCarried {
		return nil, &TooLargeError{What: "code", Size: int64(len(archive)), Max: MaxCarried}
	}
	var chunks []string
	for len(archive) > 0 {
		n := min(len(archive), MaxChunk)
		chunks = append(chunks, base64.StdEncoding.EncodeToString(archive[:n]))
		archive = archive[n:]
	}
	return chunks, nil
}
