package lang_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
)

const consoleFile = `
variable "token" {
  default   = "hunter2"
  sensitive = true
}
locals {
  days = ["20140308", "20140309"]
  bad  = nope()
}
index { source = "dir:data" }
filter "sessions" {}
filter "each" {
  for_each = toset(["a b"])
}
map "m" {
  input   = filter.sessions
  command = "true"
}
output "o" { value = map.m }
`

func evaluator(t testing.TB) *lang.Evaluator {
	t.Helper()
	e, diags := lang.NewEvaluator("x.taf.hcl", []byte(consoleFile), lang.Options{Now: time.Date(2014, 3, 10, 0, 0, 0, 0, time.UTC)})
	if len(diags) != 1 {
		t.Fatalf("the problems of the file are %v", diags)
	}
	return e
}

func TestEval(t *testing.T) {
	e := evaluator(t)
	for _, tt := range []struct{ text, want string }{
		{"local.days", `["20140308", "20140309"]`},
		{`"${local.days[0]}!"`, `"20140308!"`},
		{"[1, filter.sessions, null]", "[1, filter.sessions, null]"},
		{`filter.each["a b"]`, `filter.each["a b"]`},
		{`{ a = var.token, b = tolist([var.token, "x"]) }`, "{\n  a = (sensitive)\n  b = (sensitive)\n}"},
		{`"x ${var.token}"`, "(sensitive)"},
		{"length(var.token)", "(sensitive)"},
		{"{}", "{}"},
		{"days(2)", "days(2): 2014-03-09 to 2014-03-10"},
		{"[any()]", "[any(…)]"},
		{"days(0)", "lang/out-of-range"},
		{"local.bad", "lang/bad-expression"},
		{"local.dayz", "lang/unknown-reference"},
		{"parseint(var.token, 10)", "lang/bad-expression"},
		{"1 +", "lang/syntax"},
		{"uuid()", "lang/unknown-function"},
		{strings.Repeat("(", 600), "lang/syntax"},
	} {
		got, diags := e.Eval(tt.text)
		if diags.HasErrors() {
			got = diag.CodeOf(diags[0])
		}
		if got != tt.want || len(diags) > 1 || strings.Contains(diags.Error(), "hunter2") {
			t.Errorf("%.60s is %s, want %s; %v", tt.text, got, tt.want, diags)
		}
	}
	if !lang.Open("[1,") || lang.Open("[1]") || lang.Open("\"(\"") {
		t.Error("brackets are counted wrongly")
	}
	empty, diags := lang.NewEvaluator("", nil, lang.Options{})
	if got, _ := empty.Eval("1 + 1"); got != "2" || len(diags) > 0 {
		t.Errorf("without a file 1 + 1 is %s; %v", got, diags)
	}
}

// FuzzEval checks that no expression makes Eval panic or shows the sensitive value, and that what fails says why.
func FuzzEval(f *testing.F) {
	for _, s := range []string{"local.days", "{ a = var.token }", "days(7)", "[for x in local.days : upper(x)]", "map.m[0]", "\"${var.token}\"", "try(var.token.x, 1)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, diags := evaluator(t).Eval(text)
		if strings.Contains(got+diags.Error(), "hunter2") && !strings.Contains(text, "hunter2") {
			t.Errorf("%q shows %q, %v", text, got, diags)
		}
		if got == "" && len(diags) == 0 {
			t.Errorf("%q has neither a value nor a problem", text)
		}
	})
}
