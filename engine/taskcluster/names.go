package taskcluster

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/taskcluster/slugid"
)

// idVersion changes when ids are derived in another way. A run keeps the ids that it began with, because the state records them.
const idVersion = "tafc-task/1"

// TaskID is the id of a task of a run: always the same, so that a submission that is repeated finds its own tasks.
func TaskID(run string, task addr.Task) string {
	return slugid.Derive(idVersion, run, "task", task.Text())
}

// GroupID is the id of the group of a run, and of its gate.
func GroupID(run string) string { return slugid.Derive(idVersion, run, "gate") }

func carrierID(run, digest string, chunk int) string {
	return slugid.Derive(idVersion, run, "code", digest, fmt.Sprint(chunk))
}

func endID(run, kind string) string { return slugid.Derive(idVersion, run, "end", kind) }

// Taskcluster's bounds.
const (
	maxName      = 255
	maxRoute     = 249
	maxRoutes    = 64
	maxNamespace = maxRoute - len("index.")
	maxTag       = 4096
)

// indexPath is where the result of a task's key is in the index.
func indexPath(prefix, key string) string { return prefix + ".results." + key }

// latestPath is where people find the latest result of a stage in the index.
func latestPath(prefix, analysis string, stage addr.Stage) string {
	path := strings.Join([]string{prefix, "latest", namespaceWord(analysis), stage.Kind, namespaceWord(stage.Name)}, ".")
	if len(path) <= maxNamespace {
		return path
	}
	sum := sha256.Sum256([]byte(path))
	short := "." + hex.EncodeToString(sum[:8])
	return strings.TrimRight(path[:maxNamespace-len(short)], ".%") + short
}

// namespaceWord writes a name as one word of a namespace.
func namespaceWord(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() == 0 {
		return "_"
	}
	return b.String()
}

// cut shortens a text to a number of bytes, at the end of a character.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-len("…")], "") + "…"
}
