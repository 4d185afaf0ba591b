package columns

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/agext/levenshtein"

	"github.com/tafc/tafc/index"
)

// Column is one column of a table.
type Column struct {
	Name string
	Date bool // its type is a date
}

// Mapping says which columns hold what.
type Mapping struct {
	Key  string
	Size string // empty: none
	ETag string // empty: none
	// Layout names the dimensions when columns hold some of them. Nil: the keys tell, or nothing does.
	Layout *index.Layout
	Dims   []string // by dimension of Layout: its column; empty: the key tells
}

// The names that columns usually have, best first.
var usual = map[string][]string{
	"key":  {"key", "file_name"},
	"size": {"size", "file_size"},
	"etag": {"etag", "file_md5", "md5"},
}

// Map finds the columns of a table. Explicit is what the analysis says, layout its text or empty. What is wrong is an error
// that names the table's columns.
func Map(table string, list []Column, explicit map[string]string, layout string) (*Mapping, error) {
	r := resolver{table: table, columns: list, explicit: explicit}
	m := &Mapping{}
	for _, p := range []struct {
		name string
		to   *string
	}{{"key", &m.Key}, {"size", &m.Size}, {"etag", &m.ETag}} {
		var err error
		if *p.to, err = r.part(p.name); err != nil {
			return nil, err
		}
	}
	return m, r.dimensions(m, layout)
}

type resolver struct {
	table    string
	columns  []Column
	explicit map[string]string
}

// part finds the column of the key, the size or the ETag.
func (r *resolver) part(name string) (string, error) {
	if column, ok := r.explicit[name]; ok {
		return r.named(name, column)
	}
	for _, want := range usual[name] {
		if c, ok := r.find(want); ok {
			return c.Name, nil
		}
	}
	if name != "key" {
		return "", nil
	}
	return "", fmt.Errorf("table %q has no column for the key (%s); name it with columns = { key = \"COLUMN\" }: the table has %s",
		r.table, strings.Join(usual["key"], " or "), r.names())
}

// named is the column that the analysis names for something.
func (r *resolver) named(what, column string) (string, error) {
	if c, ok := r.find(column); ok {
		return c.Name, nil
	}
	return "", fmt.Errorf("columns: table %q has no column %q for %s%s; it has %s", r.table, column, what, didYouMean(column, r.list()), r.names())
}

// find is the column of this name, in any case when there is none in this one.
func (r *resolver) find(name string) (Column, bool) {
	for _, same := range []func(string) bool{
		func(c string) bool { return c == name },
		func(c string) bool { return strings.EqualFold(c, name) },
	} {
		if i := slices.IndexFunc(r.columns, func(c Column) bool { return same(c.Name) }); i >= 0 {
			return r.columns[i], true
		}
	}
	return Column{}, false
}

func (r *resolver) list() []string {
	var names []string
	for _, c := range r.columns {
		names = append(names, c.Name)
	}
	return names
}

func (r *resolver) names() string { return strings.Join(r.list(), ", ") }

// mapped are the dimensions that the analysis has columns for, sorted.
func (r *resolver) mapped() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(r.explicit)) {
		if usual[name] == nil {
			names = append(names, name)
		}
	}
	return names
}

// dimensions finds the columns of the dimensions.
func (r *resolver) dimensions(m *Mapping, text string) error {
	mapped := r.mapped()
	switch {
	case text == "" && len(mapped) > 0:
		return r.onlyMapped(m, mapped)
	case text == "":
		return r.ancestors(m)
	}
	layout, err := index.ParseLayout(text)
	if err != nil {
		return err
	}
	if len(mapped) == 0 && layout.String() == index.Telemetry {
		return r.ancestors(m)
	}
	dims := layout.Dimensions()
	for _, name := range mapped {
		if !slices.Contains(dims, name) {
			return fmt.Errorf("columns names a column for %q, which is no dimension of the layout %s%s; its dimensions are %s",
				name, text, didYouMean(name, dims), strings.Join(dims, ", "))
		}
	}
	if len(mapped) == 0 && !layout.InColumns() {
		return nil // the keys tell
	}
	m.Layout, m.Dims = layout, make([]string, len(dims))
	for d, name := range dims {
		if m.Dims[d], err = r.dimension(name, layout.InColumns()); err != nil {
			return err
		}
	}
	return nil
}

// dimension is the column of a dimension: the one that the analysis names, else, when there must be one, the one of the same name.
func (r *resolver) dimension(name string, must bool) (string, error) {
	if column, ok := r.explicit[name]; ok {
		return r.named("dimension "+name, column)
	}
	if !must {
		return "", nil
	}
	for _, want := range []string{name, snake(name)} {
		if c, ok := r.find(want); ok {
			return c.Name, nil
		}
	}
	return "", fmt.Errorf("table %q has no column for the dimension %q%s; name it with columns = { %s = \"COLUMN\" }: the table has %s",
		r.table, name, didYouMean(name, r.list()), name, r.names())
}

// onlyMapped makes a layout of the dimensions that the analysis has columns for.
func (r *resolver) onlyMapped(m *Mapping, mapped []string) error {
	date := -1
	for i, name := range mapped {
		column, err := r.dimension(name, true)
		if err != nil {
			return err
		}
		m.Dims = append(m.Dims, column)
		if c, _ := r.find(column); date < 0 && (c.Date || snake(name) == "submission_date") {
			date = i
		}
	}
	names := slices.Clone(mapped)
	if date >= 0 {
		names[date] += ":date"
	}
	var err error
	if m.Layout, err = index.ParseLayout("columns:" + strings.Join(names, ",")); err != nil {
		return fmt.Errorf("columns: %w", err)
	}
	return nil
}

// ancestors recognises the table of the ancestors' index service.
func (r *resolver) ancestors(m *Mapping) error {
	layout, err := index.ParseLayout(index.Telemetry)
	if err != nil {
		return err
	}
	var dims []string
	for _, name := range layout.Dimensions() {
		c, ok := r.find(snake(name))
		if !ok {
			return nil
		}
		dims = append(dims, c.Name)
	}
	m.Layout, m.Dims = layout, dims
	return nil
}

// snake writes appBuildID as app_build_id.
func snake(name string) string {
	var out strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 && runes[i-1] != '_' && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}

// didYouMean is the closest of some names as a question, or nothing when none is close.
func didYouMean(name string, of []string) string {
	best, least := "", max(2, len(name)/3)+1
	for _, known := range of {
		if d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(known), nil); d < least {
			best, least = known, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}
