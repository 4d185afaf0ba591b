package addr

import (
	"fmt"
	"strconv"
	"strings"
)

// Stage names one stage of an analysis, as the language writes it: map.by_os.
type Stage struct {
	Kind string // "map" or "reduce"
	Name string
}

// String is the address as the language writes it.
func (s Stage) String() string { return s.Kind + "." + s.Name }

// Task names one task of a stage: map.by_os["20140308/0110"], or reduce.total for the only task of its stage.
type Task struct {
	Stage Stage
	Name  string // empty for the only task of a stage
}

// String is the address as the language writes it.
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

// MarshalText makes addresses usable as JSON strings and map keys.
func (t Task) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (t *Task) UnmarshalText(b []byte) error {
	parsed, err := Parse(string(b))
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}

// Parse reads the address of a task, or of a stage (then Name is empty).
func Parse(s string) (Task, error) {
	bad := func() (Task, error) {
		return Task{}, fmt.Errorf("%q is not an address: write map.NAME, reduce.NAME, or one task as map.NAME[\"TASK\"]", s)
	}
	kind, rest, ok := strings.Cut(s, ".")
	if !ok || kind != "map" && kind != "reduce" {
		return bad()
	}
	name, index, indexed := strings.Cut(rest, "[")
	if name == "" || strings.ContainsAny(name, " \t\"]") {
		return bad()
	}
	t := Task{Stage: Stage{Kind: kind, Name: name}}
	if !indexed {
		return t, nil
	}
	index, ok = strings.CutSuffix(index, "]")
	if !ok {
		return bad()
	}
	// Shells eat quotes, so map.by_os[20140308/0110] means the same as the quoted form.
	if !strings.HasPrefix(index, `"`) {
		if index == "" || strings.ContainsAny(index, `"[]`) {
			return bad()
		}
		t.Name = index
		return t, nil
	}
	unquoted, err := strconv.Unquote(index)
	if err != nil || unquoted == "" {
		return bad()
	}
	t.Name = unquoted
	return t, nil
}
