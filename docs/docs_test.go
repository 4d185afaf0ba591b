package docs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/tafc/tafc/bundle/syntax"
	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/lang"
)

// fence is a fenced block of code of a page.
type fence struct {
	file    string
	line    int
	heading string // the nearest above
	info    string // what stands behind the backquotes: hcl, hcl fragment, hcl error -var x=1, json error
	text    string
}

func (f fence) String() string { return fmt.Sprintf("%s line %d", f.file, f.line) }

// page is a documentation page, by sections.
type page struct {
	text   string
	fences []fence
}

func read(t *testing.T, name string) page {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	p := page{text: string(src)}
	var open *fence
	heading := ""
	for i, line := range strings.Split(p.text, "\n") {
		switch info, fenced := strings.CutPrefix(strings.TrimSpace(line), "```"); {
		case fenced && open == nil:
			open = &fence{file: name, line: i + 1, heading: heading, info: strings.TrimSpace(info)}
		case fenced:
			p.fences = append(p.fences, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
	}
	if open != nil {
		t.Errorf("%s: the code block is not closed", open)
	}
	return p
}

// section is the text from a heading to the next heading of the same or a higher level.
func (p page) section(t *testing.T, heading string) string {
	t.Helper()
	lines := strings.Split(p.text, "\n")
	level := func(line string) int { return len(line) - len(strings.TrimLeft(line, "#")) }
	code := false
	start := -1
	for i, line := range lines {
		if strings.HasPrefix(line, "```") {
			code = !code
		}
		if code || level(line) == 0 {
			continue
		}
		if start >= 0 && level(line) <= level(lines[start]) {
			return strings.Join(lines[start:i], "\n")
		}
		if start < 0 && strings.TrimSpace(strings.TrimLeft(line, "#")) == heading {
			start = i
		}
	}
	if start < 0 {
		t.Errorf("there is no section %q", heading)
		return ""
	}
	return strings.Join(lines[start:], "\n")
}

// rows are the rows of the tables of a text, without heads, as cells.
func rows(text string) [][]string {
	var out [][]string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		if strings.HasPrefix(line, "| ---") {
			out = out[:len(out)-1] // the head
			continue
		}
		var cells []string
		for _, cell := range strings.Split(strings.Trim(strings.ReplaceAll(line, `\|`, "\x00"), "|"), "|") {
			cells = append(cells, strings.ReplaceAll(strings.TrimSpace(cell), "\x00", "|"))
		}
		out = append(out, cells)
	}
	return out
}

// codeIn are the words in backquotes of a text.
func codeIn(text string) []string {
	var out []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.md", "*/*.md", "../README.md", "../ARCHITECTURE.md", "../CHANGELOG.md", "../images/README.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

// TestAnalyses loads every analysis of every page: whole ones as they stand, fragments with what they leave out.
func TestAnalyses(t *testing.T) {
	seen := 0
	for _, name := range pages(t) {
		for _, f := range read(t, name).fences {
			words := strings.Fields(f.info)
			if len(words) == 0 || words[0] != "hcl" || slices.Contains(words, "error") {
				continue
			}
			seen++
			text := f.text
			if slices.Contains(words, "fragment") {
				text = complete(t, f)
			}
			if _, diags := load(text, nil); len(diags) > 0 {
				t.Errorf("%s: the analysis has problems (write ```hcl fragment for a part of one):\n%s", f, show(diags, text))
			}
			if got := string(lang.Format([]byte(f.text))); got != f.text {
				t.Errorf("%s: not in canonical form (-page +canonical):\n%s", f, cmp.Diff(f.text, got))
			}
		}
	}
	if seen < 6 {
		t.Errorf("only %d analyses were found", seen)
	}
}

// TestDiagnostics compares the sections of diagnostics.md with the codes of the sources, and runs their examples.
func TestDiagnostics(t *testing.T) {
	p := read(t, "diagnostics.md")
	var documented []string
	for _, m := range regexp.MustCompile(`(?m)^### (\S+/\S+)$`).FindAllStringSubmatch(p.text, -1) {
		documented = append(documented, m[1])
	}
	inSource := sourceCodes(t)
	for _, code := range inSource {
		if !slices.Contains(documented, code) {
			t.Errorf("diagnostics.md has no section %s", code)
		}
	}
	for _, code := range documented {
		if !slices.Contains(inSource, code) {
			t.Errorf("no source gives the code %s of diagnostics.md", code)
		}
		if !strings.Contains(p.section(t, code), "\nWay out: ") {
			t.Errorf("section %s has no way out", code)
		}
	}
	shown := map[string]bool{
		// Something else is reported first; these are kept as guards.
		"lang/bad-condition": true, "index/bad-layout": true,
		// It takes no analysis at all, or a folder that nobody may read.
		"lang/unreadable": true,
		// It takes an interpreter that is broken.
		"bundle/unchecked": true,
		// It takes a lock file that is damaged: cmd/tafc/testdata/script/image.txtar.
		"compile/image-lock": true,
		// It takes a table that another program made.
		"index/no-root": true,
	}
	for _, f := range p.fences {
		words := strings.Fields(f.info)
		if !slices.Contains(words, "error") {
			continue
		}
		t.Run(f.heading, func(t *testing.T) {
			if slices.Contains(words, "python3") {
				require.Tool(t, "python3")
			}
			if codes := problems(t, f); !slices.Contains(codes, f.heading) {
				t.Errorf("%s: the example gives %v, not %s", f, codes, f.heading)
			}
		})
		shown[f.heading] = true
	}
	for _, code := range documented {
		// Those of Taskcluster take a deployment: engine/taskcluster tests what they say.
		if strings.HasPrefix(code, "taskcluster/") && strings.Contains(p.section(t, code), "\n> ") {
			continue
		}
		if !shown[code] {
			t.Errorf("section %s has no example", code)
		}
	}
}

// sourceCodes are the codes in the sources: as text literals, and as words that package document puts behind filter/.
func sourceCodes(t *testing.T) []string {
	t.Helper()
	literal := regexp.MustCompile(`"((?:lang|index|filter|bundle|compile|plan|taskcluster)/[a-z-]+)"`)
	notice := regexp.MustCompile(`\bp\.(?:report|warn)\("([a-z-]+)"`)
	codes := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		// The table of imports holds names of packages, which look the same.
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "archtest" || d.Name() == "testdata"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		src, err := os.ReadFile(path)
		for _, m := range literal.FindAllSubmatch(src, -1) {
			codes[string(m[1])] = true
		}
		if filepath.Base(filepath.Dir(path)) == "document" {
			for _, m := range notice.FindAllSubmatch(src, -1) {
				codes["filter/"+string(m[1])] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for code := range codes {
		out = append(out, code)
	}
	slices.Sort(out)
	return out
}

// problems are the codes that an example gives on its way to tasks.
func problems(t *testing.T, f fence) []string {
	t.Helper()
	world := exampleWorld()
	text := f.text
	words := strings.Fields(f.info)
	switch {
	case words[0] == "json":
		world["Filter.json"] = &fstest.MapFile{Data: []byte(f.text)}
		text = complete(t, fence{text: "filter \"sessions\" {\n  document = \"Filter.json\"\n}\n"})
	case !slices.Contains(words, "whole"):
		text = complete(t, f)
	}
	vars := map[string]lang.VariableInput{}
	if i := slices.Index(words, "-var"); i >= 0 {
		name, value, _ := strings.Cut(words[i+1], "=")
		vars[name] = lang.VariableInput{Text: value, Source: "-var"}
	}
	version := ""
	if i := slices.Index(words, "tafc"); i >= 0 {
		version = words[i+1]
	}
	o := options(vars)
	o.Version, o.Unused = version, true
	a, diags := lang.Load("example.taf.hcl", []byte(text), o)
	if !diags.HasErrors() {
		diags = append(diags, compile.Check(a, compile.World{FS: world}).Diags...)
		in, more, _ := compile.Resolve(t.Context(), a, compile.World{FS: world, OpenIndex: openExample})
		diags = append(diags, more...)
		if !more.HasErrors() {
			_, more = compile.Compile(in)
			diags = append(diags, more...)
		}
	}
	if slices.Contains(words, "python3") {
		checked := compile.Check(a, compile.World{FS: world})
		checked.Syntax(syntax.Check(t.Context(), checked.Code, nil))
		diags = append(diags, checked.Diags...)
	}
	var codes []string
	for _, d := range diags {
		codes = append(codes, diag.CodeOf(d))
	}
	return codes
}

func load(text string, vars map[string]lang.VariableInput) (*lang.Analysis, hcl.Diagnostics) {
	return lang.Load("example.taf.hcl", []byte(text), options(vars))
}

func options(vars map[string]lang.VariableInput) lang.Options {
	return lang.Options{
		Variables: vars,
		ReadFile:  func(string) ([]byte, error) { return []byte("[\"20140308\"]\n"), nil },
		Glob:      func(string) ([]string, error) { return []string{"lib/words.txt"}, nil },
		LookupEnv: func(string) (string, bool) { return "", false },
	}
}

func show(diags hcl.Diagnostics, text string) string {
	var b strings.Builder
	_ = diag.NewReport(diags, map[string][]byte{"example.taf.hcl": []byte(text)}).WriteText(&b, 100, false)
	return b.String()
}

// complete adds the blocks that a fragment leaves out: those that diagnostics.md names at its beginning.
func complete(t *testing.T, f fence) string {
	t.Helper()
	file, _ := hclsyntax.ParseConfig([]byte(f.text), "fragment", hcl.InitialPos)
	has, stage := map[string]bool{}, ""
	if file != nil {
		for _, b := range file.Body.(*hclsyntax.Body).Blocks {
			has[b.Type] = true
			if (b.Type == "map" || b.Type == "reduce") && stage == "" && len(b.Labels) == 1 {
				stage = b.Type + "." + b.Labels[0]
			}
		}
	}
	if stage == "" || !has["map"] {
		stage = "map.by_os"
	}
	text := f.text
	for _, missing := range []struct{ typ, block string }{
		{"index", "index \"telemetry\" {\n  source = \"dir:data\"\n  layout = \"telemetry\"\n}\n"},
		{"filter", "filter \"sessions\" {}\n"},
		{"map", "map \"by_os\" {\n  code = \"mapper.py\"\n}\n"},
		{"output", "output \"os_count\" {\n  value = " + stage + "\n}\n"},
	} {
		if !has[missing.typ] {
			text += missing.block
		}
	}
	return text
}

// exampleWorld is the folder that the examples of diagnostics.md speak of.
func exampleWorld() fstest.MapFS {
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	return fstest.MapFS{
		"mapper.py":   text("def map(record):\n    yield record.key, 1\n"),
		"reducer.py":  text("def reduce(key, values):\n    return sum(values)\n"),
		"wrong.py":    text("def map(a, b):\n    yield a, b\n"),
		"relative.py": text("from .gone import names\n\ndef map(record):\n    yield names[0], 1\n"),
		"model.bin":   {Data: make([]byte, 33<<20)},
		"broken.py":   text("def map(record)\n    yield record.key, 1\n"),
		"library.py":  text("import no_such_library\n\ndef map(record):\n    yield record.key, 1\n"),
		"mapper.ts":   text("export function map(record: Record) {}\n"),
		"counter":     text("\x7fELF\x00"),
		"pipe":        {Mode: fs.ModeNamedPipe},
	}
}

func openExample(ix *lang.Index) (index.Source, error) {
	list, ok := map[string]memory{
		"dir:data": {ix.Source, []string{
			"idle_daily/other/other/100.0/20140301050205.20140308.v2.log.0ab8.xz",
			"saved_session/Firefox/nightly/29.0a1/20140301030203.20140308.v2.log.0ab8.lzma",
			"saved_session/OTHER/OTHER/9.0/20140301040204.20140308.v2.log.0ab8.lzma",
		}},
		"dir:plain": {ix.Source, []string{"a.txt", "b.txt"}},
	}[ix.Source]
	if !ok {
		return nil, errors.New("the folder of index " + ix.Source + " does not exist")
	}
	return list, nil
}
