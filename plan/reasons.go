package plan

import (
	"bytes"
	"slices"
	"strings"

	"github.com/tafc/tafc/compile"
)

// settingReasons says which of a stage's components are not what they were.
func (d *decider) settingReasons(before string, stage *compile.Stage) []Reason {
	if before == stage.Digest {
		return nil
	}
	memo := before + stage.Digest
	if rs, ok := d.settings[memo]; ok {
		return rs[:len(rs):len(rs)]
	}
	rs := diffComponents(d.prior.Components(before), stage.Components)
	d.settings[memo] = rs
	return rs[:len(rs):len(rs)]
}

// diffComponents compares two lists sorted by name.
func diffComponents(before, now []compile.Component) []Reason {
	if before == nil {
		return []Reason{{Code: "settings changed"}}
	}
	var rs []Reason
	for len(before) > 0 || len(now) > 0 {
		switch {
		case len(now) == 0 || len(before) > 0 && before[0].Name < now[0].Name:
			rs = append(rs, Reason{Code: label(before[0].Name) + oneOf(before[0].Name, " removed")})
			before = before[1:]
		case len(before) == 0 || now[0].Name < before[0].Name:
			rs = append(rs, Reason{Code: label(now[0].Name) + oneOf(now[0].Name, " added")})
			now = now[1:]
		default:
			if before[0].Value != now[0].Value {
				rs = append(rs, changed(before[0], now[0]))
			}
			before, now = before[1:], now[1:]
		}
	}
	return rs
}

// oneOf says what became of a component: one of several files or variables is added or removed, a setting that a stage has
// once is changed also when it was left out.
func oneOf(name, word string) string {
	if strings.HasPrefix(name, "code ") || strings.HasPrefix(name, "env ") || strings.HasPrefix(name, "secret ") {
		return word
	}
	return " changed"
}

func changed(before, now compile.Component) Reason {
	if now.Name == "image" && imageName(before.Value) == imageName(now.Value) {
		return Reason{Code: "image digest moved"}
	}
	return Reason{Code: label(now.Name) + " changed"}
}

// imageName is a reference without its digest.
func imageName(ref string) string {
	name, _, _ := strings.Cut(ref, "@")
	return name
}

// label is the name of a component as people know it.
func label(name string) string {
	if name == "runtime" {
		return "tafc's runtime"
	}
	return name
}

// inputReasons says which of a task's inputs are not what they were.
func (d *decider) inputReasons(t *compile.Task, before string) []Reason {
	if before == t.InputsDigest {
		return nil
	}
	old := d.prior.Inputs(before)
	if old == nil {
		return []Reason{{Code: "inputs changed"}}
	}
	if t.Files != nil {
		return diffFiles(old, t.Inputs())
	}
	running := map[string]bool{} // these are named as reruns already
	for _, u := range t.Upstream {
		running[u.Task.Addr.String()] = d.runs[u.Task]
	}
	return slices.DeleteFunc(diffUpstream(old, t.Inputs()), func(r Reason) bool { return running[r.Detail] })
}

// diffFiles compares two texts of compile.Task.Inputs over files.
func diffFiles(before, now []byte) []Reason {
	var rs []Reason
	merge(before, now, func(key string, was, is []byte) {
		switch {
		case was == nil:
			rs = append(rs, Reason{"new file", key})
		case is == nil:
			rs = append(rs, Reason{"file gone", key})
		case !bytes.Equal(was, is):
			rs = append(rs, Reason{"file changed", key})
		}
	})
	return rs
}

// onlyAdded keeps what is new in one half of a split batch: the files of the other half are not gone.
func onlyAdded(rs []Reason) []Reason {
	var out []Reason
	for _, r := range rs {
		if r.Code != "file gone" {
			out = append(out, r)
		}
	}
	return out
}

func diffUpstream(before, now []byte) []Reason {
	was, is := byKey(before), byKey(now)
	var rs []Reason
	for _, line := range lines(now) {
		key, rest := cutKey(line)
		switch old, ok := was[key]; {
		case !ok:
			rs = append(rs, Reason{"new upstream", key})
		case old != string(rest):
			rs = append(rs, Reason{"upstream changed", key})
		}
	}
	for _, line := range lines(before) {
		if key, _ := cutKey(line); is[key] == "" {
			rs = append(rs, Reason{"upstream gone", key})
		}
	}
	return rs
}

// merge walks two texts whose lines are sorted by key and calls visit for each key of either.
func merge(before, now []byte, visit func(key string, was, is []byte)) {
	a, b := lines(before), lines(now)
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0:
			key, rest := cutKey(a[0])
			visit(key, rest, nil)
			a = a[1:]
		case len(a) == 0:
			key, rest := cutKey(b[0])
			visit(key, nil, rest)
			b = b[1:]
		default:
			ka, ra := cutKey(a[0])
			kb, rb := cutKey(b[0])
			switch {
			case ka == kb:
				visit(ka, ra, rb)
				a, b = a[1:], b[1:]
			case ka < kb:
				visit(ka, ra, nil)
				a = a[1:]
			default:
				visit(kb, nil, rb)
				b = b[1:]
			}
		}
	}
}

func byKey(text []byte) map[string]string {
	m := map[string]string{}
	for _, line := range lines(text) {
		key, rest := cutKey(line)
		m[key] = string(rest)
	}
	return m
}

func lines(text []byte) [][]byte {
	if len(text) == 0 {
		return nil
	}
	return bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
}

// cutKey splits a line at the last but one TAB: keys of files may hold TABs, what follows does not.
func cutKey(line []byte) (key string, rest []byte) {
	end := bytes.LastIndexByte(line, '\t')
	if end > 0 {
		end = bytes.LastIndexByte(line[:end], '\t')
	}
	if end < 0 {
		return string(line), []byte{}
	}
	return string(line[:end]), line[end+1:]
}
