package docs

import (
	_ "embed"
	"strings"
)

//go:embed diagnostics.md
var diagnostics string

// DiagnosticsURL is where people read diagnostics.md.
const DiagnosticsURL = "https://github.com/tafc/tafc/blob/main/docs/diagnostics.md"

// Explanation is what diagnostics.md says about one code.
type Explanation struct {
	Summary string // the first paragraph, on one line
	Help    string // the whole section without its heading, in Markdown
	URL     string // the section on the web
}

// Explain finds the section of a diagnostic's code; ok is false when there is none.
func Explain(code string) (e Explanation, ok bool) {
	_, section, ok := strings.Cut(diagnostics, "\n### "+code+"\n")
	if !ok {
		return Explanation{URL: DiagnosticsURL}, false
	}
	section, _, _ = strings.Cut(section, "\n### ")
	section, _, _ = strings.Cut(section, "\n## ")
	section = strings.TrimSpace(section)
	first, _, _ := strings.Cut(section, "\n\n")
	return Explanation{
		Summary: strings.Join(strings.Fields(first), " "),
		Help:    section,
		URL:     DiagnosticsURL + "#" + strings.ReplaceAll(code, "/", ""),
	}, true
}
