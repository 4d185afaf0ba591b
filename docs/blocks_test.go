package docs_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/lang"
)

// TestBlocksAreTested makes sure that no block of code escapes the tests: each says what it is, and there is a test for what it says.
func TestBlocksAreTested(t *testing.T) {
	for _, name := range pages(t) {
		for _, f := range read(t, name).fences {
			kind, _, _ := strings.Cut(f.info, " ")
			switch kind {
			case "hcl": // TestAnalyses and TestDiagnostics
				words := strings.Fields(f.info)
				if slices.Contains(words, "error") && name != "diagnostics.md" {
					t.Errorf("%s: only the examples of diagnostics.md are run as errors", f)
				}
			case "console":
				if name != "commands.md" {
					t.Errorf("%s: only what commands.md shows is typed; TestTranscript", f)
				}
			case "json":
				if f.info == "json" {
					jsonBlock(t, f)
				}
			case "sh", "python", "yaml": // TestReadme; docs/ci
			case "":
				if looksLikeAnalysis(f.text) {
					t.Errorf("%s: this is an analysis or a part of one; write ```hcl, or ```hcl fragment", f)
				}
			default:
				t.Errorf("%s: nothing tests blocks of the kind %q", f, f.info)
			}
		}
	}
}

// jsonBlock loads an analysis in JSON; other JSON must be well formed.
func jsonBlock(t *testing.T, f fence) {
	t.Helper()
	if !json.Valid([]byte(f.text)) {
		t.Errorf("%s: not JSON", f)
	}
	if f.heading != "JSON syntax" {
		return
	}
	if _, diags := lang.Load("example.taf.json", []byte(f.text), lang.Options{}); len(diags) > 0 {
		t.Errorf("%s: the analysis has problems: %v", f, diags)
	}
}

func looksLikeAnalysis(text string) bool {
	file, diags := hclsyntax.ParseConfig([]byte(text), "", hcl.InitialPos)
	return !diags.HasErrors() && len(file.Body.(*hclsyntax.Body).Blocks) > 0
}

// TestReadme runs the code that the README shows against the analysis that it shows.
func TestReadme(t *testing.T) {
	blocks := map[string]string{}
	for _, f := range read(t, "../README.md").fences {
		if _, seen := blocks[f.info]; !seen {
			blocks[f.info] = f.text
		}
	}
	a, diags := load(blocks["hcl"], nil)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	shown, diags := bundleOf(t, a, blocks["python"])
	if len(diags) > 0 || shown == nil {
		t.Errorf("the map function is none: %v", diags)
	}
	// What it shows is the example in short: the same filter, stages and output.
	src, err := os.ReadFile("../examples/os-count.taf.hcl")
	if err != nil {
		t.Fatal(err)
	}
	example, diags := lang.Load("os-count.taf.hcl", src, lang.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if diff := cmp.Diff(inShort(example), inShort(a)); diff != "" {
		t.Errorf("examples/os-count.taf.hcl (-example +README):\n%s", diff)
	}
}

// inShort is what the README does not leave out of an analysis.
func inShort(a *lang.Analysis) string {
	var out []string
	for line := range strings.Lines(lang.Describe(a)) {
		if !regexp.MustCompile(`^(analysis|variable|  description|  value "|  batch)`).MatchString(line) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

// bundleOf collects the code of the stages, where every file is the same text but for the reducer's.
func bundleOf(t *testing.T, a *lang.Analysis, mapper string) (*compile.StageCode, hcl.Diagnostics) {
	t.Helper()
	world := fstest.MapFS{}
	for _, s := range a.Stages {
		text := mapper
		if s.Kind == lang.Reduce {
			text = "def reduce(key, values):\n    return sum(values)\n"
		}
		world[s.Code[0]] = &fstest.MapFile{Data: []byte(text)}
	}
	in, diags, _ := compile.Resolve(t.Context(), a, compile.World{FS: world, OpenIndex: func(ix *lang.Index) (index.Source, error) {
		return memory{ix.Source, []string{"saved_session/Firefox/nightly/29.0a1/20140301030203.20140303.v2.log.0ab8.lzma"}}, nil
	}})
	return in.Code[a.Stages[0].Addr()], diags
}
