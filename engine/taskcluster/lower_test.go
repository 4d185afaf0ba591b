package taskcluster_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/tafc/tafc/engine"
	tc "github.com/tafc/tafc/engine/taskcluster"
	"github.com/tafc/tafc/internal/taftest"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/plan"
	"github.com/tafc/tafc/runtime/agent"
)

var start = time.Date(2026, 11, 25, 3, 30, 0, 0, time.UTC)

// world is an archive's program: the files of the analysis and its index, and env, lines of NAME=VALUE.
type world struct {
	files  fstest.MapFS
	env    map[string]string
	reused string // addresses of tasks whose results are there, a line each
}

func readWorld(a *txtar.Archive) world {
	w := world{files: fstest.MapFS{}, env: map[string]string{"TASKCLUSTER_ROOT_URL": "https://tc.example.org"}}
	for _, f := range a.Files {
		switch f.Name {
		case "env":
			for _, line := range strings.Fields(string(f.Data)) {
				name, value, _ := strings.Cut(line, "=")
				w.env[name] = value
			}
		case "reused":
			w.reused = string(f.Data)
		default:
			w.files[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	return w
}

// lower makes the definitions of an archive's analysis.
func (w world) lower(t *testing.T) (*tc.Graph, []tc.Problem, *tc.Settings) {
	t.Helper()
	name := "analysis.taf.hcl"
	options := lang.Options{Engine: lang.EngineTaskcluster, LookupEnv: func(name string) (string, bool) {
		v, ok := w.env[name]
		return v, ok
	}}
	a, diags := lang.Load(name, w.files[name].Data, options)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	settings := tc.SettingsOf(a, func(name string) string { return w.env[name] })
	if settings.RootURL == "" {
		settings.RootURL = w.env["TASKCLUSTER_ROOT_URL"]
	}
	g, diags, _ := taftest.CompileWith(w.files, options)
	if g == nil {
		t.Fatal(diags)
	}
	for _, s := range g.Stages {
		if root := w.env["ROOT"]; root != "" && s.Root != "" {
			s.Root = root
		}
	}
	p := plan.New(g, plan.Prior{Result: func(key string) plan.ResultState {
		for _, task := range g.Tasks {
			if task.Key == key && strings.Contains("\n"+w.reused, "\n"+task.Addr.String()+"\n") {
				return plan.Available
			}
		}
		return plan.None
	}}, nil)
	run, err := engine.Lower("20261125T033000.000-1", p)
	if err != nil {
		t.Fatal(err)
	}
	in := tc.Input{Run: run, Settings: settings, Start: start, Deadline: start.Add(settings.Deadline), Expires: start.Add(settings.Expires), Reused: map[*engine.Task]tc.Ref{}}
	for i, task := range run.Tasks {
		if task.Reused {
			in.Reused[task] = tc.Ref{TaskID: tc.TaskID("earlier", task.Addr), RunID: i, Artifacts: "public/taf", Expires: start.Add(10 * 24 * time.Hour)}
		}
	}
	graph, problems := tc.Lower(in)
	return graph, problems, settings
}

// TestLower compares definitions with those of the archives, and all of them with the schemas of the services and workers.
func TestLower(t *testing.T) {
	paths, err := filepath.Glob("testdata/lower/*.txtar")
	if err != nil || len(paths) < 5 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var in, out []txtar.File
			want := map[string]string{}
			for _, f := range a.Files {
				if strings.HasPrefix(f.Name, "out/") {
					want[f.Name] = string(f.Data)
				} else {
					in = append(in, f)
				}
			}
			graph, problems, settings := readWorld(&txtar.Archive{Files: in}).lower(t)
			got := map[string]string{"out/problems": "", "out/tasks": ""}
			for _, p := range problems {
				got["out/problems"] += p.String() + "\n"
			}
			if !hasError(problems) {
				got["out/tasks"] = text(t, graph)
				got["out/scopes"] = neededText(graph, settings)
				checkSchemas(t, graph, settings.Payload)
			}
			if os.Getenv("TAFC_UPDATE") != "" {
				for _, name := range []string{"out/problems", "out/scopes", "out/tasks"} {
					if body, ok := got[name]; ok {
						out = append(out, txtar.File{Name: name, Data: []byte(body)})
					}
				}
				a.Files = append(in, out...)
				if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func hasError(problems []tc.Problem) bool {
	for _, p := range problems {
		if !p.Warning {
			return true
		}
	}
	return false
}

func neededText(g *tc.Graph, s *tc.Settings) string {
	var b strings.Builder
	for _, e := range g.Needed(s) {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

// text is the tasks of a graph as people can compare them: the document of the agent is decoded.
func text(t *testing.T, g *tc.Graph) string {
	t.Helper()
	var b strings.Builder
	for _, n := range g.Nodes {
		var d map[string]any
		if err := json.Unmarshal(encode(t, n.Definition), &d); err != nil {
			t.Fatal(err)
		}
		delete(d, "created")
		env, _ := d["payload"].(map[string]any)["env"].(map[string]any)
		if doc, ok := env[agent.EnvDocument].(string); ok {
			decoded, err := agent.Decode(doc)
			if err != nil {
				t.Fatal(err)
			}
			env[agent.EnvDocument] = json.RawMessage(encode(t, decoded))
		}
		if x, ok := d["extra"].(map[string]any)["tafc"].(map[string]any); ok {
			if code, ok := x["code"].(string); ok {
				x["code"] = fmt.Sprintf("(%d characters)", len(code))
			}
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, encode(t, d), "", "  "); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "## %s %s\n%s\n", n.Label, n.ID, pretty.String())
	}
	return b.String()
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
