package diag

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/apparentlymart/go-textseg/v15/textseg"
	"github.com/mitchellh/go-wordwrap"
	"golang.org/x/text/width"
)

// minWidth is the narrowest text that is still worth wrapping.
const minWidth = 40

// WriteText writes the report for people: each diagnostic with its place, its source line and the range marked below it.
// Columns is the width of the terminal, 0 for no wrapping; color adds ANSI colours.
func (r *Report) WriteText(w io.Writer, columns int, color bool) error {
	if columns > 0 {
		columns = max(columns, minWidth)
	}
	t := textWriter{w: bufio.NewWriter(w), columns: columns, color: color}
	for i := range r.Diagnostics {
		if i > 0 {
			t.line("")
		}
		t.diagnostic(&r.Diagnostics[i])
	}
	return t.w.Flush()
}

type textWriter struct {
	w       *bufio.Writer // keeps the first error until Flush
	columns int
	color   bool
}

const (
	styleError   = "1;31"
	styleWarning = "1;33"
	styleBold    = "1"
	styleDim     = "2"
)

func (t *textWriter) styled(style, s string) string {
	if !t.color || s == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

func (t *textWriter) line(s string) {
	t.w.WriteString(s)
	t.w.WriteByte('\n')
}

func (t *textWriter) diagnostic(d *Diagnostic) {
	title, style := "Error: ", styleError
	if d.Severity == "warning" {
		title, style = "Warning: ", styleWarning
	}
	t.line(t.styled(style, title) + t.styled(styleBold, printable(d.Summary)))
	if d.Range != nil {
		t.place(d)
	}
	if d.Snippet != nil {
		t.snippet(d, style)
	}
	if d.Detail != "" {
		t.wrapped(printable(d.Detail))
	}
	for _, rel := range d.Related {
		t.line("  " + printable(rel.Message) + ": " + placeOf(&rel.Range))
	}
	t.line(t.styled(styleDim, "["+d.Code+"]"))
}

func (t *textWriter) place(d *Diagnostic) {
	where, end := placeOf(d.Range), ""
	if d.Snippet != nil {
		if d.Snippet.Context != "" {
			where += ", in " + printable(d.Snippet.Context)
		}
		end = ":"
	}
	t.line("  on " + where + end)
}

func placeOf(r *Range) string {
	if r.Start.Line == 0 {
		return printable(r.Filename)
	}
	return fmt.Sprintf("%s line %d", printable(r.Filename), r.Start.Line)
}

func (t *textWriter) snippet(d *Diagnostic, style string) {
	prefix := fmt.Sprintf("  %d: ", d.Snippet.StartLine)
	cells := newCells(d.Snippet.Code)
	start := min(max(d.Range.Start.Column-1, 0), len(cells))
	end := len(cells) // of a range over several lines only the first is shown
	if d.Range.End.Line == d.Range.Start.Line {
		end = min(max(d.Range.End.Column-1, start), len(cells))
	}
	if t.columns > 0 {
		cells, start, end = window(cells, start, end, t.columns-len(prefix))
	}
	var code, mark strings.Builder
	for i, c := range cells {
		code.WriteString(c.text)
		if i < start {
			mark.WriteString(c.blank())
		}
	}
	t.line(prefix + code.String())
	under := 0
	for _, c := range cells[start:end] {
		under += c.columns
	}
	t.line(strings.Repeat(" ", len(prefix)) + mark.String() + t.styled(style, strings.Repeat("^", max(under, 1))))
}

// cell is one grapheme cluster as a terminal shows it.
type cell struct {
	text    string
	columns int
}

func (c cell) blank() string {
	if c.text == "\t" {
		return c.text
	}
	return strings.Repeat(" ", c.columns)
}

func newCells(s string) []cell {
	var cells []cell
	for rest := []byte(s); len(rest) > 0; {
		n, cluster, err := textseg.ScanGraphemeClusters(rest, true)
		if err != nil || n == 0 {
			break
		}
		c := cell{text: printable(string(cluster)), columns: 1}
		first := []rune(c.text)[0]
		if k := width.LookupRune(first).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			c.columns = 2
		}
		cells = append(cells, c)
		rest = rest[n:]
	}
	return cells
}

// window cuts a line that is too long for the terminal, such as the only line of a document, around the marked range.
func window(cells []cell, start, end, columns int) ([]cell, int, int) {
	if len(cells) <= columns {
		return cells, start, end
	}
	dots := cell{text: "…", columns: 1}
	from := 0
	if end > columns-1 {
		from = max(0, min(start-columns/4, len(cells)-columns))
	}
	to := min(len(cells), from+columns)
	cut := append([]cell(nil), cells[from:to]...)
	if from > 0 {
		cut[0] = dots
	}
	if to < len(cells) {
		cut[len(cut)-1] = dots
	}
	return cut, start - from, min(end-from, len(cut))
}

// wrapped wraps each line of a text by itself; lines that begin with a blank, such as those of a stack, stay as they are.
func (t *textWriter) wrapped(s string) {
	for l := range strings.Lines(s) {
		l = strings.TrimRight(l, "\n")
		if t.columns > 0 && !strings.HasPrefix(l, " ") && !strings.HasPrefix(l, "\t") {
			l = wordwrap.WrapString(l, uint(t.columns))
		}
		t.line(l)
	}
}

// printable takes from a text what could drive the terminal: user code and documents may hold anything.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
