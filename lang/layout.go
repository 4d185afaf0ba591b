package lang

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tafc/tafc/internal/lazy"
)

// builtinLayouts are the layouts that have a name, with their dimensions. Package index knows their templates; a test
// there compares.
var builtinLayouts = []struct {
	name       string
	dimensions []string
	date       string
}{
	{"telemetry", []string{"reason", "appName", "appUpdateChannel", "appVersion", "appBuildID", "submission_date"}, "submission_date"},
	{"telemetry-heka", []string{"prefix", "submissionDate", "sourceName", "sourceVersion", "docType", "appName", "appUpdateChannel", "appVersion", "appBuildId"}, "submissionDate"},
}

var (
	placeholder  = lazy.Regexp(`\{[^{}/]*\}`)
	dimensionRE  = lazy.Regexp(`^[\pL_][\pL\p{Nd}_-]*$`)
	dateHole     = lazy.Regexp(`\{([^{}/:]*):date\}`)
	adjacentHole = lazy.Regexp(`\}\{`)
)

// LayoutDimensions are the dimensions of a layout, the name of a built-in one or a template, in the order of the template.
func LayoutDimensions(layout string) ([]string, error) {
	for _, b := range builtinLayouts {
		if b.name == layout {
			return slices.Clone(b.dimensions), nil
		}
	}
	if names, ok := strings.CutPrefix(layout, columnsPrefix); ok {
		return columnDimensions(names)
	}
	if !strings.ContainsAny(layout, "{}/") {
		return nil, fmt.Errorf("there is no layout named %q; known are %s, or write a template such as {country}/{day:date}/{rest}",
			layout, list(layoutNames(), "and"))
	}
	return templateDimensions(layout)
}

// layoutDate is the date dimension of a layout that LayoutDimensions finds nothing wrong with, or empty.
func layoutDate(layout string) string {
	for _, b := range builtinLayouts {
		if b.name == layout {
			return b.date
		}
	}
	if names, ok := strings.CutPrefix(layout, columnsPrefix); ok {
		for name := range strings.SplitSeq(names, ",") {
			if name, kind, _ := strings.Cut(name, ":"); kind == "date" {
				return name
			}
		}
	}
	if m := dateHole().FindStringSubmatch(layout); m != nil {
		return m[1]
	}
	return ""
}

// columnsPrefix begins a layout whose dimensions are in columns of a table.
const columnsPrefix = "columns:"

// columnDimensions are the names of a list such as country,day:date.
func columnDimensions(names string) ([]string, error) {
	list := strings.Split(names, ",")
	for _, name := range list {
		if name == "" || strings.ContainsAny(name, "{}/") || name == "rest" || name == "_" {
			return nil, fmt.Errorf("%q does not name a dimension; write columns: with the names of columns, such as columns:country,day:date", name)
		}
	}
	return templateDimensions("{" + strings.Join(list, "}/{") + "}")
}

func layoutNames() []string {
	var names []string
	for _, b := range builtinLayouts {
		names = append(names, b.name)
	}
	return names
}

func templateDimensions(layout string) ([]string, error) {
	if rest := placeholder().ReplaceAllString(layout, ""); strings.ContainsAny(rest, "{}") {
		return nil, errors.New("a brace of the template has no partner in its path component; a dimension is written {name}")
	}
	if slices.Contains(strings.Split(layout, "/"), "") {
		return nil, errors.New("the template has an empty path component; remove the slash that is too many")
	}
	if adjacentHole().MatchString(layout) {
		return nil, errors.New("two dimensions of the template follow each other without text between them, so nothing tells where the first one ends")
	}
	var dimensions []string
	date := ""
	for _, hole := range placeholder().FindAllString(layout, -1) {
		name, kind, typed := strings.Cut(hole[1:len(hole)-1], ":")
		switch {
		case !dimensionRE().MatchString(name):
			return nil, fmt.Errorf("%s of the template does not name a dimension; names begin with a letter or _ and go on with letters, digits, _ and -", hole)
		case typed && kind != "date":
			return nil, fmt.Errorf("%s of the template has the unknown type %q; the only type is date", hole, kind)
		case name == "rest" || name == "_":
			if typed {
				return nil, fmt.Errorf("%s of the template stands for what is no dimension, so it has no type", hole)
			}
			continue
		case slices.Contains(dimensions, name):
			return nil, fmt.Errorf("the dimension %q stands twice in the template; a part that does not matter is written {_}", name)
		case typed && date != "":
			return nil, fmt.Errorf("the template has two date dimensions, %q and %q; only one can be the date that batches are grouped by", date, name)
		}
		if typed {
			date = name
		}
		dimensions = append(dimensions, name)
	}
	if len(dimensions) == 0 {
		return nil, errors.New("the template has no dimension; a dimension is written {name}")
	}
	return dimensions, nil
}
