package taftest

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"testing/fstest"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/plan"
)

// specNow is the moment at which the cases of the specification are planned.
var specNow = time.Date(2014, 3, 10, 12, 0, 0, 0, time.UTC)

// Spec makes the outputs of a case of the specification by name: out/diagnostics always, and for a valid one out/description (what the
// language makes of it), out/files (the keys that each filter selects), out/code (the contracts) and those of Run. Common are the files that every case can use, unless it has
// its own. A file "vars" holds values of variables, NAME=VALUE a line.
func Spec(a *txtar.Archive, common map[string][]byte) (map[string]string, error) {
	world := fstest.MapFS{}
	for name, data := range common {
		world[name] = &fstest.MapFile{Data: data}
	}
	for _, f := range a.Files {
		if !strings.HasPrefix(f.Name, "out/") {
			world[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	name := analysisFile
	if world[name] == nil {
		name = jsonFile
	}
	if world[name] == nil {
		return nil, fmt.Errorf("the case has neither %s nor %s", analysisFile, jsonFile)
	}
	sources := map[string][]byte{name: world[name].Data}
	analysis, diags := lang.Load(name, world[name].Data, lang.Options{
		Variables: specVariables(world), Now: specNow, Version: "1.0.0",
		ReadFile: world.ReadFile,
		Glob:     func(pattern string) ([]string, error) { return fs.Glob(world, pattern) },
		LookupEnv: func(name string) (string, bool) {
			return "/home/analyst", name == "HOME"
		},
	})
	prior := plan.Prior{Result: func(string) plan.ResultState { return plan.None }}
	if diags.HasErrors() {
		return render(nil, diags, sources, prior)
	}
	in, more, read := compile.Resolve(context.Background(), analysis, compile.World{FS: world, OpenIndex: func(*lang.Index) (index.Source, error) {
		return rows(world["index"].Data), nil
	}})
	for name, text := range read {
		sources[name] = text
	}
	var g *compile.Graph
	if diags = append(diags, more...); !diags.HasErrors() {
		g, more = compile.Compile(in)
		diags = append(diags, more...)
	}
	out, err := render(g, diags, sources, prior)
	if err != nil || g == nil {
		return out, err
	}
	out["out/description"] = lang.Describe(analysis)
	for _, stage := range analysis.Stages {
		if code := in.Code[stage.Addr()]; code != nil {
			out["out/code"] += fmt.Sprintf("%s calls %s of the contract %s\n", stage.Addr(), code.Function, code.Contract)
		}
	}
	for _, f := range analysis.Filters {
		files := in.Selections[f.Name].Files
		out["out/files"] += fmt.Sprintf("filter %s\n", f.Name)
		for i := range files.Len() {
			out["out/files"] += "  " + files.Key(i) + "\n"
		}
	}
	return out, nil
}

func specVariables(world fstest.MapFS) map[string]lang.VariableInput {
	vars := map[string]lang.VariableInput{}
	if world["vars"] == nil {
		return vars
	}
	for line := range strings.Lines(string(world["vars"].Data)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			vars[name] = lang.VariableInput{Text: value, Source: "-var"}
		}
	}
	return vars
}
