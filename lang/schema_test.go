package lang_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
)

// Every block and argument of the table is documented in a full sentence, and no name stands twice.
func TestSchemaIsComplete(t *testing.T) {
	var walk func(path string, s *lang.BlockSchema)
	walk = func(path string, s *lang.BlockSchema) {
		if !strings.HasSuffix(s.Doc, ".") {
			t.Errorf("%s: the text %q is not a sentence", path, s.Doc)
		}
		var names []string
		for _, a := range s.Args {
			if !strings.HasSuffix(a.Doc, ".") || a.Type == "" {
				t.Errorf("%s.%s: type %q, text %q", path, a.Name, a.Type, a.Doc)
			}
			if a.Required && a.Default != "" {
				t.Errorf("%s.%s is required and has a default", path, a.Name)
			}
			names = append(names, a.Name)
		}
		for i := range s.Kinds {
			if k := &s.Kinds[i]; k.Name == "" || k.Type != s.Type {
				t.Errorf("%s: kind %d has the type %q and the name %q", path, i, k.Type, k.Name)
			}
			walk(path+" "+s.Kinds[i].Name, &s.Kinds[i])
		}
		for i := range s.Blocks {
			names = append(names, s.Blocks[i].Type)
			walk(path+"."+s.Blocks[i].Type, &s.Blocks[i])
		}
		slices.Sort(names)
		if len(slices.Compact(slices.Clone(names))) != len(names) {
			t.Errorf("%s: a name stands twice in %q", path, names)
		}
	}
	walk("file", lang.Schema())
}

// What completion offers for a value, the checks accept: every set of words hangs on the argument that reads it.
func TestSchemaKnowsValues(t *testing.T) {
	var got []string
	var walk func(path string, s *lang.BlockSchema)
	walk = func(path string, s *lang.BlockSchema) {
		if labels := s.Labels(); labels != nil {
			got = append(got, path+" labels "+strings.Join(labels, " "))
		}
		for i := range s.Args {
			a := &s.Args[i]
			name := path + "." + a.Name
			if words := a.Words(); words != nil {
				got = append(got, name+" words "+strings.Join(words, " "))
			}
			if schemes := a.Schemes(); schemes != nil {
				got = append(got, name+" schemes "+strings.Join(schemes, " "))
			}
			if (a.Type == lang.TReference) != (a.References() != nil) {
				t.Errorf("%s: type %q, references to %q", name, a.Type, a.References())
			}
		}
		for i := range s.Blocks {
			walk(path+"."+s.Blocks[i].Type, &s.Blocks[i])
		}
	}
	walk("file", lang.Schema())
	for _, want := range []string{"file.map.format words telemetry lines", "file.output.format words text csv", "file.retry.on words infrastructure", "file.index.source schemes dir", "file.engine labels local"} {
		if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("the table does not say %q, only\n%s", want, strings.Join(got, "\n"))
		}
	}
}

func TestLayoutDimensions(t *testing.T) {
	tests := []struct {
		layout string
		want   []string // nil: an error
	}{
		{"telemetry", []string{"reason", "appName", "appUpdateChannel", "appVersion", "appBuildID", "submission_date"}},
		{"{country}/{day:date}/{rest}", []string{"country", "day"}},
		{"v1/{a}-{b}.{_}.log", []string{"a", "b"}},
		{"{a}{b}", nil}, {"{a}//{b}", nil}, {"/{a}", nil}, {"{a}/", nil}, {"{a", nil}, {"a}", nil}, {"{a/b}", nil}, {"{}", nil}, {"{1}", nil},
		{"{a:time}", nil}, {"{a:date}/{b:date}", nil}, {"{rest:date}/{a}", nil}, {"{a}/{a}", nil}, {"{rest}/x", nil}, {"name", nil}, {"", nil},
	}
	for _, tt := range tests {
		got, err := lang.LayoutDimensions(tt.layout)
		if (err == nil) != (tt.want != nil) || !slices.Equal(got, tt.want) {
			t.Errorf("LayoutDimensions(%q) = %q, %v; want %q", tt.layout, got, err, tt.want)
		}
	}
}

func TestVariables(t *testing.T) {
	const rest = `
index { source = "dir:data" }
filter {}
map "m" { code = "m.py" }
output "o" { value = map.m }
`
	tests := []struct {
		name, block string
		input       *lang.VariableInput
		want        string // the value as the language writes it, or the code of the error
	}{
		{"default", `{ default = ["a"] }`, nil, `["a"]`},
		{"text as it is", `{ type = string }`, &lang.VariableInput{Text: `"quoted"`}, `"\"quoted\""`},
		{"no type is text", `{}`, &lang.VariableInput{Text: "29"}, `"29"`},
		{"type of the default", `{ default = 3 }`, &lang.VariableInput{Text: "29"}, "29"},
		{"number", `{ type = number }`, &lang.VariableInput{Text: "29.5"}, "29.5"},
		{"list", `{ type = list(string) }`, &lang.VariableInput{Text: `["a", "b"]`}, `["a", "b"]`},
		{"value from a file", `{ type = number }`, &lang.VariableInput{Value: cty.NumberIntVal(3)}, "3"},
		{"not a number", `{ type = number }`, &lang.VariableInput{Text: "many"}, "lang/bad-variable-value"},
		{"not an expression", `{ type = list(string) }`, &lang.VariableInput{Text: "[,"}, "lang/bad-variable-value"},
		{"of another type", `{ type = list(string) }`, &lang.VariableInput{Text: "3"}, "lang/bad-variable-value"},
		{"a reference", `{ default = filter.default }`, nil, "lang/bad-variable-value"},
		{"none", `{ type = string }`, nil, "lang/variable-not-set"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			options := lang.Options{Variables: map[string]lang.VariableInput{}}
			if tt.input != nil {
				tt.input.Source = "-var"
				options.Variables["x"] = *tt.input
			}
			a, diags := lang.Load("x.taf.hcl", []byte(`variable "x" `+tt.block+rest), options)
			got := ""
			switch {
			case len(diags) > 0:
				got = diag.CodeOf(diags[0])
			case len(a.Variables) == 1:
				got = a.Variables[0].Value
			}
			if got != tt.want || len(diags) > 1 {
				t.Errorf("the value is %s, want %s; %v", got, tt.want, diags)
			}
		})
	}
}

func TestRequiresTafc(t *testing.T) {
	tests := []struct {
		version, requires string
		fits              bool
	}{
		{"1.2.0", ">= 1.2", true}, {"1.2.0", "< 1.2", false}, {"v1.2.3", "~> 1.2.0", true}, {"1.3.0", "~> 1.2.0", false}, {"1.2.0", "1.2.0", true},
		{"2.0.0-rc1", ">= 2.0", true}, {"dev", ">= 99", true}, {"", ">= 99", true}, {"v0.0.0-20261124000000-0123456789ab", ">= 99", true}, {"1.2.0+dirty", ">= 99", true},
	}
	for _, tt := range tests {
		src := "analysis {\n  requires_tafc = \"" + tt.requires + "\"\n}\n"
		_, diags := lang.Load("x.taf.hcl", []byte(src), lang.Options{Version: tt.version})
		if refused := len(diags) == 1 && diag.CodeOf(diags[0]) == "lang/wrong-tafc"; refused == tt.fits {
			t.Errorf("tafc %s and requires_tafc %q: %v", tt.version, tt.requires, diags)
		}
	}
}

// Nothing that a diagnostic says holds a sensitive value, wherever it came from.
func TestSensitiveDiagnostics(t *testing.T) {
	const secret = "hunter2"
	for _, rest := range []string{
		"variable \"s\" {\n type = number\n sensitive = true\n}", "variable \"s\" {\n type = list(string)\n sensitive = true\n}",
		"variable \"s\" {\n sensitive = true\n validation {\n condition = false\n error_message = \"No.\"\n}\n}",
		"variable \"s\" {\n sensitive = true\n}\nlocals {\n a = jsondecode(var.s)\n b = tonumber(var.s)\n c = { a = 1 }[var.s]\n d = size(var.s)\n e = var.s + 1\n f = regex(var.s, \"a\")\n}\nanalysis {\n owner = var.s\n}",
	} {
		for _, in := range []lang.VariableInput{
			{Text: secret, Source: "-var"},
			{Value: cty.StringVal(secret), Source: "secrets.tafvars", Range: hcl.Range{Filename: "secrets.tafvars", Start: hcl.Pos{Line: 1, Column: 5, Byte: 4}, End: hcl.Pos{Line: 1, Column: 14, Byte: 13}}},
		} {
			a, diags := lang.Load("x.taf.hcl", []byte(rest), lang.Options{Variables: map[string]lang.VariableInput{"s": in}})
			var text strings.Builder
			sources := map[string][]byte{"x.taf.hcl": []byte(rest), "secrets.tafvars": []byte("s = \"" + secret + "\"\n")}
			if err := diag.NewReport(diags, sources).WriteText(&text, 100, false); err != nil {
				t.Fatal(err)
			}
			if text.WriteString(lang.Describe(a)); strings.Contains(text.String(), secret) {
				t.Errorf("the secret is in\n%s", &text)
			}
		}
	}
}

func TestParseVarFile(t *testing.T) {
	inputs, diags := lang.ParseVarFile("x.tafvars", []byte("channel = \"beta\"\ndays = [1, 2]\nbad = var.x\nblock {}\n"))
	var codes []string
	for _, d := range diags {
		codes = append(codes, diag.CodeOf(d))
	}
	if diff := cmp.Diff([]string{"lang/bad-expression", "lang/unknown-block"}, codes); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	channel := inputs["channel"]
	if len(inputs) != 2 || channel.Value != cty.StringVal("beta") || channel.Source != "x.tafvars" || channel.Range.Start.Line != 1 {
		t.Errorf("the values are %#v", inputs)
	}
}

// Every argument of a stage can be found by its range, those in blocks with a dot.
func TestRanges(t *testing.T) {
	src := []byte(`
index { source = "dir:data" }
filter {}
map "m" {
  code = "m.py"
  batch { max_files = 3 }
}
output "o" { value = map.m }
`)
	a, diags := lang.Load("x.taf.hcl", src, lang.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	m := a.Stages[0]
	for arg, want := range map[string]string{"code": `"m.py"`, "batch.max_files": "3", "batch": "batch", "input": `map "m"`} {
		if got := string(m.Range(arg).SliceBytes(src)); got != want {
			t.Errorf("the range of %s is %q, want %q", arg, got, want)
		}
	}
	if _, ok := a.Files["x.taf.hcl"]; !ok || a.Dir != "." {
		t.Errorf("files %v, folder %q", a.Files, a.Dir)
	}
}
