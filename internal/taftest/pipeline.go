package taftest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/tools/txtar"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/plan"
)

const (
	analysisFile = "analysis.taf.hcl"
	jsonFile     = "analysis.taf.json" // the same in JSON
)

// Run makes the outputs of an archive by name.
func Run(a *txtar.Archive) (map[string]string, error) {
	now, before := fstest.MapFS{}, fstest.MapFS{}
	hasPast := false
	for _, f := range a.Files {
		switch name, old := strings.CutPrefix(f.Name, "before/"); {
		case strings.HasPrefix(f.Name, "out/"):
		case old:
			hasPast = true
			before[name] = &fstest.MapFile{Data: f.Data}
		default:
			now[name] = &fstest.MapFile{Data: f.Data}
			if before[name] == nil {
				before[name] = now[name]
			}
		}
	}
	// Files of before/ may come after those that they replace.
	for _, f := range a.Files {
		if name, old := strings.CutPrefix(f.Name, "before/"); old {
			before[name] = &fstest.MapFile{Data: f.Data}
		}
	}
	prior := plan.Prior{Result: func(string) plan.ResultState { return plan.None }}
	if hasPast {
		g, diags, _ := Compile(before)
		if g == nil {
			return nil, fmt.Errorf("the earlier version: %w", diag.Err(diags))
		}
		prior = Applied(g)
	}
	return outputs(now, prior)
}

func outputs(world fstest.MapFS, prior plan.Prior) (map[string]string, error) {
	g, diags, sources := Compile(world)
	return render(g, diags, sources, prior)
}

// render makes the outputs of what was compiled; the graph is nil when it could not be.
func render(g *compile.Graph, diags hcl.Diagnostics, sources map[string][]byte, prior plan.Prior) (map[string]string, error) {
	var text bytes.Buffer
	if err := diag.NewReport(diag.Sort(diags), sources).WriteText(&text, 100, false); err != nil {
		return nil, err
	}
	out := map[string]string{"out/diagnostics": text.String()}
	if g == nil {
		return out, nil
	}
	text.Reset()
	g.WriteText(&text)
	out["out/graph"] = text.String()
	p := plan.New(g, prior, nil)
	p.Engine = "local"
	text.Reset()
	view.Plan(&text, p, view.Style{})
	out["out/plan"] = text.String()
	doc, err := json.MarshalIndent(p.Document(nil), "", "  ")
	out["out/plan.json"] = string(doc) + "\n"
	return out, err
}

// Compile compiles the analysis of a world in memory; the graph is nil when there are errors.
func Compile(world fstest.MapFS) (*compile.Graph, hcl.Diagnostics, map[string][]byte) {
	return CompileWith(world, lang.Options{})
}

// CompileWith compiles with an engine and an environment.
func CompileWith(world fstest.MapFS, o lang.Options) (*compile.Graph, hcl.Diagnostics, map[string][]byte) {
	name := analysisFile
	if world[name] == nil {
		name = jsonFile
	}
	src := world[name].Data
	sources := map[string][]byte{name: src}
	o.ReadFile = world.ReadFile
	o.Glob = func(pattern string) ([]string, error) { return fs.Glob(world, pattern) }
	a, diags := lang.Load(name, src, o)
	if diags.HasErrors() {
		return nil, diags, sources
	}
	in, more, read := compile.Resolve(context.Background(), a, compile.World{FS: world, OpenIndex: func(*lang.Index) (index.Source, error) {
		return rows(world["index"].Data), nil
	}})
	for name, text := range read {
		sources[name] = text
	}
	if diags = append(diags, more...); diags.HasErrors() {
		return nil, diags, sources
	}
	g, more := compile.Compile(in)
	return g, append(diags, more...), sources
}

// Applied is what the state would remember after every task of a graph has run.
func Applied(g *compile.Graph) plan.Prior {
	tasks := map[addr.Task]plan.Task{}
	results := map[string]bool{}
	documents := map[string][]byte{}
	components := map[string][]compile.Component{}
	for _, t := range g.Tasks {
		tasks[t.Addr] = plan.Task{Key: t.Key, StageDigest: t.Stage.Digest, InputsDigest: t.InputsDigest}
		results[t.Key] = true
		documents[t.InputsDigest] = t.Inputs()
		components[t.Stage.Digest] = t.Stage.Components
	}
	return plan.Prior{
		Tasks: tasks,
		Result: func(key string) plan.ResultState {
			if results[key] {
				return plan.Available
			}
			return plan.None
		},
		Inputs:     func(digest string) []byte { return documents[digest] },
		Components: func(digest string) []compile.Component { return components[digest] },
	}
}

// rows is an index of lines: key size etag.
type rows []byte

func (r rows) String() string                           { return "dir:data" }
func (r rows) Revision(context.Context) (string, error) { return "r1", nil }
func (r rows) Layout() string                           { return "" }
func (r rows) Root() string                             { return "file:///data" }
func (r rows) Close() error                             { return nil }
func (r rows) Scan(_ context.Context, fn func(index.File) error) error {
	for line := range strings.Lines(string(r)) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 3 {
			return fmt.Errorf("%q is not key, size and etag", line)
		}
		size, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return err
		}
		if err := fn(index.File{Key: []byte(fields[0]), Size: size, ETag: []byte(fields[2])}); err != nil {
			return err
		}
	}
	return nil
}
