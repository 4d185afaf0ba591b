package lang_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
)

const usedRest = `
index "d" {
  source = "dir:data"
}
filter "all" {}
map "m" {
  command = "cat"
}
output "o" {
  value = map.m
}
`

func TestUnused(t *testing.T) {
	tests := []struct {
		name, file, text string
		want             []string // line, code and the name in it
	}{
		{"nothing", "a.taf.hcl", usedRest, nil},
		{"one of each", "a.taf.hcl", `variable "v" {
  default = 1
}
locals {
  a = 1
  b = local.a
}
index "other" {
  source = "dir:other"
}
filter "none" {
  index = index.d
}
filter "some" {
  index = index.d
}
image "i" {
  name = "x"
}
image "j" {
  name = "y"
}
map "m" {
  input   = filter.some
  command = "cat"
  image   = image.j
}
index "d" {
  source = "dir:data"
}
output "o" {
  value = map.m
}
`, []string{"1 lang/unused v", "6 lang/unused b", "8 lang/unused other", "11 lang/unused none", "17 lang/unused i"}},
		{"used in any way", "a.taf.hcl", usedRest + `
variable "path" {}
variable "n" {
  default = 2
}
locals {
  one   = ["a", "b"]
  two   = { for x in local.one : x => var.n if false }
  three = true ? "x" : "${local.four}"
  four  = "y"
}
batch {
  max_files = length(keys(local.two)) + strlen(local.three) + 1
}
map "m2" {
  command = "cat"
  env     = { PATH_OF = var.path }
}
output "o2" {
  value = map.m2
}
`, []string{"13 lang/variable-not-set path"}},
		{"a rule is no use", "a.taf.hcl", `variable "v" {
  default = 1
  validation {
    condition     = var.v > 0
    error_message = "Too small."
  }
}
` + usedRest, []string{"1 lang/unused v"}},
		{"stages", "a.taf.hcl", usedRest + `
reduce "r" {
  input   = map.m
  command = "cat"
}
map "first" {
  command = "cat"
}
reduce "second" {
  input   = map.first
  command = "cat"
}
`, []string{"13 lang/unreachable-stage reduce.r", "17 lang/unreachable-stage map.first", "20 lang/unreachable-stage reduce.second"}},
		{"errors come first", "a.taf.hcl", usedRest + "locals {\n  a = nope\n}\n", []string{"13 lang/unknown-reference nope"}},
		{"JSON", "a.taf.json", `{
  "index": {"d": {"source": "dir:data"}},
  "locals": {"a": 1, "b": "${local.c}", "c": 2},
  "filter": {"all": {}},
  "map": {"m": {"command": "cat"}, "n": {"command": "cat"}},
  "output": {"o": {"value": "${map.m}"}}
}
`, []string{"3 lang/unused a", "3 lang/unused b", "5 lang/unreachable-stage map.n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, diags := lang.Load(tt.file, []byte(tt.text), lang.Options{Unset: true, Unused: true})
			var got []string
			for _, d := range diags {
				got = append(got, fmt.Sprintf("%d %s %s", d.Subject.Start.Line, diag.CodeOf(d), named(d.Detail)))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\n%v", diff, diags)
			}
		})
	}
}

// named is what a message is about: its first quoted word, else its first word.
func named(detail string) string {
	var first, second string
	if n, _ := fmt.Sscanf(detail, "Nothing in the file refers to the %s %q", &first, &second); n == 2 {
		return second
	}
	if n, _ := fmt.Sscanf(detail, "The variable %q", &first); n == 1 {
		return first
	}
	_, _ = fmt.Sscanf(detail, "%s", &first)
	return first
}
