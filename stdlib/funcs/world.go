package funcs

import (
	"errors"
	"slices"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// World is what functions see of the world. A nil field makes its function an error.
type World struct {
	ReadFile  func(path string) ([]byte, error)      // file; paths are relative to the analysis
	Glob      func(pattern string) ([]string, error) // fileset
	LookupEnv func(name string) (string, bool)       // env
	Now       func() time.Time                       // timestamp
}

func (w World) table() map[string]function.Function {
	return map[string]function.Function{"file": w.file(), "fileset": w.fileset(), "env": w.env(), "timestamp": w.timestamp()}
}

func (w World) file() function.Function {
	return function.New(&function.Spec{
		Description: "The text of a file.",
		Params:      []function.Parameter{{Name: "path", Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if w.ReadFile == nil {
				return cty.NilVal, function.NewArgErrorf(0, "files cannot be read here")
			}
			b, err := w.ReadFile(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(0, "%w", err)
			}
			return textValue(b)
		},
	})
}

func (w World) fileset() function.Function {
	return function.New(&function.Spec{
		Description: "The paths of the files that a pattern matches, sorted; ** matches any number of folders.",
		Params:      []function.Parameter{{Name: "pattern", Type: cty.String}},
		Type:        function.StaticReturnType(cty.List(cty.String)),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if w.Glob == nil {
				return cty.NilVal, function.NewArgErrorf(0, "files cannot be listed here")
			}
			paths, err := w.Glob(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(0, "%w", err)
			}
			if len(paths) == 0 {
				return cty.ListValEmpty(cty.String), nil
			}
			values := make([]cty.Value, len(paths))
			for i, p := range slices.Sorted(slices.Values(paths)) {
				values[i] = cty.StringVal(p)
			}
			return cty.ListVal(values), nil
		},
	})
}

func (w World) env() function.Function {
	return function.New(&function.Spec{
		Description: "The value of an environment variable; a second argument is used when the variable is not set.",
		Params:      []function.Parameter{{Name: "name", Type: cty.String}},
		VarParam:    &function.Parameter{Name: "default", Type: cty.String},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if len(args) > 2 {
				return cty.NilVal, function.NewArgErrorf(2, "env takes a name and at most one default")
			}
			if w.LookupEnv == nil {
				return cty.NilVal, function.NewArgErrorf(0, "the environment cannot be read here")
			}
			if value, ok := w.LookupEnv(args[0].AsString()); ok {
				return cty.StringVal(value), nil
			}
			if len(args) == 2 {
				return args[1], nil
			}
			return cty.NilVal, function.NewArgErrorf(0, "the environment variable %q is not set; set it, or give a default as second argument", args[0].AsString())
		},
	})
}

func (w World) timestamp() function.Function {
	return function.New(&function.Spec{
		Description: "The present, as RFC 3339 writes it, in UTC: what days and last_complete_day count from too.",
		Type:        function.StaticReturnType(cty.String),
		Impl: func([]cty.Value, cty.Type) (cty.Value, error) {
			if w.Now == nil {
				return cty.NilVal, errors.New("there is no clock here")
			}
			return cty.StringVal(w.Now().UTC().Format(time.RFC3339)), nil
		},
	})
}
