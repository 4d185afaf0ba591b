package diag

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcled"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"

	"github.com/tafc/tafc/internal/redact"
)

// FormatVersion is the version of a Report's JSON. Fields may be added without changing it.
const FormatVersion = "1"

// Report is the diagnostics of one command, complete in itself: it holds the source lines that it shows.
type Report struct {
	FormatVersion string       `json:"format_version"`
	Files         []string     `json:"files,omitempty"` // the analyses, as they were named; of tafc validate
	Valid         bool         `json:"valid"`           // no errors; there may be warnings
	ErrorCount    int          `json:"error_count"`
	WarningCount  int          `json:"warning_count"`
	Diagnostics   []Diagnostic `json:"diagnostics"` // sorted by file and position

	sources map[string][]byte // for columns of other kinds
}

// Diagnostic is one problem.
type Diagnostic struct {
	Severity string         `json:"severity"` // error or warning
	Code     string         `json:"code"`
	Summary  string         `json:"summary"`
	Detail   string         `json:"detail"`
	Range    *Range         `json:"range,omitempty"` // nil: the problem has no place in a file
	Related  []RelatedPlace `json:"related"`
	Snippet  *Snippet       `json:"snippet,omitempty"` // nil: the source is not at hand
}

// RelatedPlace is another place that belongs to a problem.
type RelatedPlace struct {
	Message string `json:"message"`
	Range   Range  `json:"range"`
}

// Range is a part of a file, End exclusive.
type Range struct {
	Filename string `json:"filename"`
	Start    Pos    `json:"start"`
	End      Pos    `json:"end"`
}

// Pos is a place in a file. Line and Column count from 1, Column in grapheme clusters; Byte counts from 0.
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// Snippet is the first source line of a range.
type Snippet struct {
	Context   string `json:"context"` // the enclosing block (in JSON its path), or empty
	Code      string `json:"code"`    // the whole line, without its end
	StartLine int    `json:"start_line"`
}

// NewReport sorts diagnostics and adds their source lines. Sources holds the text of files by the names that ranges use; a
// file that is not there is shown by its place only.
func NewReport(diags hcl.Diagnostics, sources map[string][]byte) *Report {
	r := &Report{FormatVersion: FormatVersion, Valid: true, Diagnostics: []Diagnostic{}, sources: sources}
	b := reporter{sources: sources, parsed: map[string]*hcl.File{}}
	for _, d := range Sort(diags) {
		severity := "warning"
		if d.Severity == hcl.DiagError {
			severity, r.Valid = "error", false
			r.ErrorCount++
		} else {
			r.WarningCount++
		}
		r.Diagnostics = append(r.Diagnostics, b.diagnostic(d, severity))
	}
	return r
}

// WriteJSON writes the report as indented JSON with a final newline.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

type reporter struct {
	sources map[string][]byte
	parsed  map[string]*hcl.File // for the labels of enclosing blocks
}

func (b *reporter) diagnostic(d *hcl.Diagnostic, severity string) Diagnostic {
	out := Diagnostic{
		Severity: severity, Code: CodeOf(d), Summary: d.Summary, Detail: d.Detail, Related: []RelatedPlace{},
	}
	for _, rel := range RelatedOf(d) {
		out.Related = append(out.Related, RelatedPlace{Message: rel.Message, Range: newRange(rel.Range)})
	}
	if d.Subject == nil {
		return out
	}
	rng := newRange(*d.Subject)
	out.Range = &rng
	out.Snippet = b.snippet(d)
	return out
}

func newRange(r hcl.Range) Range {
	return Range{
		Filename: r.Filename,
		Start:    Pos{Line: r.Start.Line, Column: r.Start.Column, Byte: r.Start.Byte},
		End:      Pos{Line: r.End.Line, Column: r.End.Column, Byte: r.End.Byte},
	}
}

// snippet goes by line, not by byte: the places of user code come without bytes.
func (b *reporter) snippet(d *hcl.Diagnostic) *Snippet {
	src, ok := b.sources[d.Subject.Filename]
	if !ok || d.Subject.Start.Line < 1 {
		return nil
	}
	line := lineOf(src, d.Subject.Start.Line)
	if line == nil {
		return nil
	}
	return &Snippet{
		Context:   b.context(d),
		Code:      redact.Mask(strings.ToValidUTF8(string(line), "\uFFFD")),
		StartLine: d.Subject.Start.Line,
	}
}

func (b *reporter) context(d *hcl.Diagnostic) string {
	name := d.Subject.Filename
	isJSON := strings.HasSuffix(name, ".taf.json")
	if !isJSON && !strings.HasSuffix(name, ".hcl") || d.Subject.Empty() { // an empty range stands for the file
		return ""
	}
	file, ok := b.parsed[name]
	if !ok && isJSON {
		file, _ = hcljson.Parse(b.sources[name], name)
		b.parsed[name] = file
	} else if !ok {
		file, _ = hclsyntax.ParseConfig(b.sources[name], name, hcl.InitialPos)
		b.parsed[name] = file
	}
	if file == nil {
		return ""
	}
	return hcled.ContextString(file, d.Subject.Start.Byte)
}
