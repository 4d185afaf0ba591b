package frame

import (
	"bytes"
	"encoding/json"
	"path"
	"strings"
)

// Guess says which format a file probably has, by its name and its first bytes (decompressed; all of the file when whole).
// Extensions of compression are not looked at. It is for people who look at a file; tasks are told the format.
func Guess(name string, head []byte, whole bool) string {
	switch ext := extension(name); ext {
	case ".csv", ".tsv", ".jsonl":
		return ext[1:]
	case ".ndjson":
		return "jsonl"
	}
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	line, _, ended := bytes.Cut(head, []byte("\n"))
	if _, value, found := bytes.Cut(line, []byte("\t")); found && opens(value) && plausible(value, ended || whole) {
		return "telemetry"
	}
	if opens(line) && plausible(line, ended || whole) {
		return "jsonl"
	}
	if whole && opens(bytes.TrimLeft(head, " \t\r\n")) && json.Valid(head) {
		return "whole"
	}
	return "lines"
}

// extension is that of a name, without those of compression.
func extension(name string) string {
	for {
		ext := strings.ToLower(path.Ext(name))
		switch ext {
		case ".gz", ".gzip", ".zst", ".zstd", ".bz2", ".xz", ".lzma", ".lz4":
			name = name[:len(name)-len(ext)]
		default:
			return ext
		}
	}
}

// opens tells whether text begins as an object or a list.
func opens(text []byte) bool { return len(text) > 0 && (text[0] == '{' || text[0] == '[') }

// plausible tells whether a line is JSON, as far as it is there.
func plausible(line []byte, ended bool) bool { return !ended || json.Valid(line) }
