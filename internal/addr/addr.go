package addr

import (
	"fmt"
	"strconv"
	"strings"
)

// Stage names one stage of an analysis, as the language writes it: map.by_os.
type Stage struct {
	Kind string // "map" or "reduce"
	Name string // of a stage with for_each with its key: by_os["nightly"]
}

// String is the address as the language writes it.
func (s Stage) String() string { return s.Kind + "." + s.Name }

// Instance is the name of one of the blocks that a block with for_each stands for: by_os["nightly"].
func Instance(name, key string) string { return name + "[" + strconv.Quote(key) + "]" }

// Base is the name of the block in the file, and the key, which is empty when the block has no for_each. It is the inverse of Instance.
func Base(name string) (base, key string) {
	base, index, ok := strings.Cut(name, "[")
	if !ok {
		return name, ""
	}
	key, rest, ok := readIndex("[" + index)
	if !ok || rest != "" {
		return name, ""
	}
	return base, key
}

// Task names one task of a stage: map.by_os["20140308/0110"], or reduce.total for the only task of its stage.
type Task struct {
	Stage Stage
	Name  string // empty for the only task of a stage
}

// String is the address as the language writes it. One index can be the key of a stage that has one task, or the name of a task; only
// the analysis tells. MarshalText tells them apart.
func (t Task) String() string {
	if t.Name == "" {
		return t.Stage.String()
	}
	return t.Stage.String() + "[" + strconv.Quote(t.Name) + "]"
}

// Short is the part of the address that tells tasks of one stage apart.
func (t Task) Short() string {
	if t.Name == "" {
		return t.Stage.Name
	}
	return t.Name
}

// only marks the address of the only task of a stage that has a key.
const only = "[]"

// MarshalText makes addresses usable as JSON strings and map keys, and in databases: every text means one address.
func (t Task) MarshalText() ([]byte, error) { return []byte(t.Text()), nil }

// Text is what MarshalText returns: the address, with [] behind that of the only task of a stage that has a key.
func (t Task) Text() string {
	if _, key := Base(t.Stage.Name); t.Name == "" && key != "" {
		return t.String() + only
	}
	return t.String()
}

// UnmarshalText is the inverse of MarshalText.
func (t *Task) UnmarshalText(b []byte) error {
	parsed, err := Parse(string(b))
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}

// In is an address that somebody typed as the analysis means it: one index is the key of a stage, if there is such a stage.
func (t Task) In(isStage func(Stage) bool) Task {
	if s := (Stage{Kind: t.Stage.Kind, Name: Instance(t.Stage.Name, t.Name)}); t.Name != "" && isStage(s) {
		return Task{Stage: s}
	}
	return t
}

// Parse reads the address of a task, or of a stage (then Name is empty). Shells eat quotes, so map.by_os[20140308/0110] means the same as
// the quoted form.
func Parse(s string) (Task, error) {
	bad := func() (Task, error) {
		return Task{}, fmt.Errorf("%q is not an address: write map.NAME, reduce.NAME, or one task as map.NAME[\"TASK\"]; with for_each map.NAME[\"KEY\"][\"TASK\"]", s)
	}
	kind, rest, ok := strings.Cut(s, ".")
	if !ok || kind != "map" && kind != "reduce" {
		return bad()
	}
	name, rest := cutIndexes(rest)
	if name == "" || strings.ContainsAny(name, " \t\"]") {
		return bad()
	}
	rest, isOnly := strings.CutSuffix(rest, only)
	var indexes []string
	for rest != "" {
		var index string
		if index, rest, ok = readIndex(rest); !ok {
			return bad()
		}
		indexes = append(indexes, index)
	}
	switch {
	case len(indexes) == 1 && isOnly:
		return Task{Stage: Stage{Kind: kind, Name: Instance(name, indexes[0])}}, nil
	case isOnly || len(indexes) > 2:
		return bad()
	case len(indexes) == 2:
		return Task{Stage: Stage{Kind: kind, Name: Instance(name, indexes[0])}, Name: indexes[1]}, nil
	case len(indexes) == 1:
		return Task{Stage: Stage{Kind: kind, Name: name}, Name: indexes[0]}, nil
	}
	return Task{Stage: Stage{Kind: kind, Name: name}}, nil
}

func cutIndexes(s string) (name, indexes string) {
	if i := strings.IndexByte(s, '['); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// readIndex reads ["KEY"] or [KEY] at the start of a text. It must not be empty.
func readIndex(s string) (index, rest string, ok bool) {
	s, ok = strings.CutPrefix(s, "[")
	if !ok {
		return "", "", false
	}
	if quoted, err := strconv.QuotedPrefix(s); err == nil && s[0] == '"' {
		index, err = strconv.Unquote(quoted)
		rest, ok = strings.CutPrefix(s[len(quoted):], "]")
		return index, rest, ok && err == nil && index != ""
	}
	index, rest, ok = strings.Cut(s, "]")
	return index, rest, ok && index != "" && !strings.ContainsAny(index, `"[`)
}
