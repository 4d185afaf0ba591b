package lang_test

import (
	"strings"
	"testing"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
)

// TestParseReportsOnce checks that a cause is reported once, at its first place, and that nothing makes the parser give up.
func TestParseReportsOnce(t *testing.T) {
	tests := []struct {
		name    string
		src     string
		line    int
		summary string
	}{
		{"text not closed", "map \"x\" {\n  code = \"a\n}\noutput \"y\" {\n  value = 1\n}\n", 2, "Invalid multi-line string"},
		{"interpolation not closed", "locals {\n  a = \"${x\"\n}\n", 2, "Unclosed template interpolation sequence"},
		{"block not closed", "map \"x\" {\n", 1, "Unclosed configuration block"},
		{"single quotes", "map 'x' {\n}\n", 1, "Invalid character"},
		{"semicolon", "map \"x\" { code = \"a\"; }\n", 1, "Invalid character"},
		{"curly quotes", "locals {\n  a = “x”\n}\n", 2, "Invalid character"},
		{"no-break spaces", "locals {\n\u00a0\u00a0a = 1\n}\n", 2, "Invalid character"},
		{"old line ends", "locals {\r  a = 1\r}\r", 1, "Invalid character"},
		{"Latin-1", "# caf\xe9\n", 1, "Not a text in UTF-8"},
		{"UTF-16", "\xff\xfem\x00a\x00p\x00\n\x00", 1, "Not a text in UTF-8"},
		{"NUL", "locals {\n  a = 1\n}\n\x00\x00", 4, "Not a text in UTF-8"},
		{"compressed", "\x1f\x8b\x08\x00\x00\n\x00", 1, "Not a text in UTF-8"},
		{"too large", strings.Repeat("#\n", lang.MaxSize), 1, "The file is too large"},
		{"brackets", "locals {\n  a = " + strings.Repeat("(", 1e5) + "\n}\n", 2, "Nested too deep"},
		{"blocks", strings.Repeat("a {\n", 2e4), 501, "Nested too deep"},
		{"operators", "locals {\n  a = " + strings.Repeat("-", 1e5) + "1\n}\n", 2, "Nested too deep"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, diags := lang.Parse("x.taf.hcl", []byte(test.src))
			if len(diags) != 1 {
				t.Fatalf("%d problems, want one: %v", len(diags), diags)
			}
			if d := diags[0]; d.Summary != test.summary || d.Subject.Start.Line != test.line || diag.CodeOf(d) != diag.SyntaxCode {
				t.Errorf("line %d: %s [%s], want line %d: %s", d.Subject.Start.Line, d.Summary, diag.CodeOf(d), test.line, test.summary)
			}
		})
	}
}

// TestParseReportsAll checks that independent mistakes are all reported.
func TestParseReportsAll(t *testing.T) {
	_, diags := lang.Parse("x.taf.hcl", []byte("locals {\n  a = \"\\d\"\n  b = \"\\w\"\n}\n"))
	if len(diags) != 2 {
		t.Errorf("%d problems, want 2: %v", len(diags), diags)
	}
}
