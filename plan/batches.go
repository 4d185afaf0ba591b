package plan

import (
	"slices"
	"strings"
)

// batchNames are the sorted names of a stage's tasks: compile.Batch.Name.
type batchNames []string

// around finds the batches of the same group that hold, or are parts of, a batch: the nearest node above it in the trie,
// else all below it. A batch itself is not among them.
func (n batchNames) around(group, name string) []string {
	path, ok := pathIn(group, name)
	if !ok {
		return nil
	}
	for end := len(path) - 1; end >= 0; end-- {
		if above := nameOf(group, path[:end]); n.has(above) {
			return []string{above}
		}
	}
	prefix := path
	if group != "" {
		prefix = group + "/" + path
	}
	var below []string
	first, _ := slices.BinarySearch(n, prefix)
	for _, other := range n[first:] {
		if !strings.HasPrefix(other, prefix) {
			break
		}
		if _, ok := pathIn(group, other); ok && other != name {
			below = append(below, other)
		}
	}
	return below
}

func (n batchNames) has(name string) bool {
	_, ok := slices.BinarySearch(n, name)
	return ok
}

// pathIn is the trie path of a batch's name inside a group.
func pathIn(group, name string) (string, bool) {
	switch {
	case group == "" && name == "all", group != "" && name == group:
		return "", true
	case group != "":
		var ok bool
		if name, ok = strings.CutPrefix(name, group+"/"); !ok {
			return "", false
		}
	}
	return name, name != "" && strings.Trim(name, "01") == ""
}

func nameOf(group, path string) string {
	switch {
	case group == "" && path == "":
		return "all"
	case group == "":
		return path
	case path == "":
		return group
	}
	return group + "/" + path
}

// groupOf is the group in a batch's name. A name of 0 and 1 only is a path without a group.
func groupOf(name string) string {
	if strings.Trim(name, "01") == "" || name == "all" {
		return ""
	}
	group, _, _ := strings.Cut(name, "/")
	return group
}
