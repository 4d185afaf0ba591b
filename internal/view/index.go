package view

import (
	"fmt"
	"io"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/index"
)

// IndexBuilt says what an index file holds.
func IndexBuilt(w io.Writer, file, layout, root string, files int, size int64, unparsed, kept int) {
	fmt.Fprintf(w, "%s: %s, %s\n", file, count(files, "file"), bytes(size))
	if layout == "" {
		layout = "none (the files have no dimensions)"
	}
	fmt.Fprintf(w, "  layout %s\n", layout)
	if root != "" {
		fmt.Fprintf(w, "  root   %s\n", root)
	}
	if unparsed > 0 {
		fmt.Fprintf(w, "  %s outside the layout: they never match\n", count(unparsed, "key"))
	}
	if kept > 0 {
		fmt.Fprintf(w, "  %s not listed again: as in the index before\n", count(kept, "folder"))
	}
}

// indexValues is how many values of a dimension a text lists.
const indexValues = 20

// Index prints the dimensions of an index with their values.
func Index(w io.Writer, sel *index.Selection, style Style) {
	fmt.Fprintf(w, "%s: %s (%s), revision %s\n", style.Bold(sel.Source), count(sel.Total, "file"), bytes(sel.Bytes), sel.Revision)
	if sel.Layout == nil {
		fmt.Fprintln(w, "  no layout: the files have no dimensions")
	} else {
		fmt.Fprintf(w, "  layout %s\n", sel.Layout)
	}
	unparsed(w, sel, style)
	for _, d := range sel.Dimensions {
		fmt.Fprintf(w, "  %s (%s)\n", style.Bold(d.Name), count(len(d.Values), "value"))
		for i, v := range d.Values {
			if i == indexValues && len(d.Values) > indexValues+1 {
				fmt.Fprintf(w, "    … and %s (all of them: -json)\n", count(len(d.Values)-i, "more value"))
				break
			}
			fmt.Fprintf(w, "    %10s  %s\n", number(v.Files), quoted(v.Value))
		}
	}
}

// quoted makes empty values and control characters visible.
func quoted(s string) string {
	if s == "" || printable(s) != s {
		return fmt.Sprintf("%q", s)
	}
	return s
}

func unparsed(w io.Writer, sel *index.Selection, style Style) {
	if sel.Unparsed == 0 {
		return
	}
	fmt.Fprintf(w, "  %s\n", style.Yellow(count(sel.Unparsed, "key")+" outside the layout, which never match:"))
	for _, key := range sel.UnparsedSample {
		fmt.Fprintf(w, "    %s\n", printable(key))
	}
	if more := sel.Unparsed - len(sel.UnparsedSample); more > 0 {
		fmt.Fprintf(w, "    … and %s\n", number(more))
	}
}

// Funnel says how many files each condition of a filter left.
func Funnel(w io.Writer, filter string, sel *index.Selection, style Style) {
	fmt.Fprintf(w, "filter %s over %s: %s, %s match (%s)\n", style.Bold(filter), sel.Source, total(sel.Total, sel.Unlisted),
		number(sel.Files.Len()), bytes(sel.Bytes))
	steps := make([]compile.Step, len(sel.Funnel))
	for i, step := range sel.Funnel {
		steps[i] = compile.Step(step)
	}
	for _, line := range funnelLines(sel.Total-sel.Unparsed, sel.Unlisted, steps) {
		fmt.Fprintf(w, "  %s %12s → %s\n", pad(line.dimension, 20), line.from, line.to)
	}
	unparsed(w, sel, style)
}

// total says how many files an index has. What was not listed makes the number a lower bound.
func total(files, unlisted int) string {
	switch {
	case unlisted == 0:
		return count(files, "file")
	case unlisted < 0:
		return count(files, "file") + " listed, the others not counted"
	}
	return fmt.Sprintf("%s listed, %s not", count(files, "file"), count(unlisted, "folder"))
}

// funnelLine is one condition: from how many files to how many, in words.
type funnelLine struct{ dimension, from, to string }

// funnelLines marks numbers that do not count what was not listed with a plus: there may be more.
func funnelLines(from, unlisted int, steps []compile.Step) []funnelLine {
	lines := make([]funnelLine, len(steps))
	number := func(n int) string {
		if unlisted != 0 {
			return number(n) + "+"
		}
		return number(n)
	}
	for i, step := range steps {
		lines[i] = funnelLine{dimension: step.Dimension, from: number(from)}
		if unlisted -= step.Unlisted; i == len(steps)-1 {
			unlisted = 0 // after the last condition, all are known
		}
		lines[i].to = number(step.Left)
		if step.Unlisted > 0 {
			lines[i].to += fmt.Sprintf(" (%s not listed)", count(step.Unlisted, "folder"))
		}
		from = step.Left
	}
	return lines
}

// IndexDocument is the JSON form of an index (docs/json.md).
type IndexDocument struct {
	FormatVersion string              `json:"format_version"`
	Source        string              `json:"source"`
	Revision      string              `json:"revision"`
	Layout        string              `json:"layout"`
	FilesTotal    int                 `json:"files_total"`
	BytesTotal    int64               `json:"bytes_total"`
	UnparsedKeys  int                 `json:"unparsed_keys"`
	Unparsed      []string            `json:"unparsed_sample"`
	Dimensions    []DimensionDocument `json:"dimensions"`
}

// DimensionDocument is one dimension with its values.
type DimensionDocument struct {
	Name   string          `json:"name"`
	Values []ValueDocument `json:"values"`
}

// ValueDocument is a value and how many files have it.
type ValueDocument struct {
	Value string `json:"value"`
	Files int    `json:"files"`
}

// NewIndexDocument makes the JSON form of a selection of everything.
func NewIndexDocument(sel *index.Selection) *IndexDocument {
	d := &IndexDocument{
		FormatVersion: "1", Source: sel.Source, Revision: sel.Revision, FilesTotal: sel.Total, BytesTotal: sel.Bytes,
		UnparsedKeys: sel.Unparsed, Unparsed: append([]string{}, sel.UnparsedSample...), Dimensions: []DimensionDocument{},
	}
	if sel.Layout != nil {
		d.Layout = sel.Layout.String()
	}
	for _, dim := range sel.Dimensions {
		doc := DimensionDocument{Name: dim.Name, Values: []ValueDocument{}}
		for _, v := range dim.Values {
			doc.Values = append(doc.Values, ValueDocument(v))
		}
		d.Dimensions = append(d.Dimensions, doc)
	}
	return d
}

// QueryDocument is the JSON form of a filter's answer (docs/json.md).
type QueryDocument struct {
	FormatVersion string         `json:"format_version"`
	Filter        string         `json:"filter"`
	Source        string         `json:"source"`
	Revision      string         `json:"revision"`
	Layout        string         `json:"layout"`
	FilesTotal    int            `json:"files_total"`
	FilesMatched  int            `json:"files_matched"`
	BytesMatched  int64          `json:"bytes_matched"`
	UnparsedKeys  int            `json:"unparsed_keys"`
	Unparsed      []string       `json:"unparsed_sample"`
	Funnel        []StepDocument `json:"funnel"`
	Unlisted      int            `json:"unlisted_prefixes,omitempty"`
	Files         []FileDocument `json:"files"`
}

// StepDocument says how many files were left after one more condition.
type StepDocument struct {
	Dimension string `json:"dimension"`
	Left      int    `json:"left"`
	Unlisted  int    `json:"unlisted_prefixes,omitempty"`
}

// FileDocument is one file with its dimensions by name.
type FileDocument struct {
	Key        string            `json:"key"`
	Size       int64             `json:"size"`
	ETag       string            `json:"etag"`
	Dimensions map[string]string `json:"dimensions"`
}

// newQueryDocument makes the JSON form of a selection, without its files.
func newQueryDocument(filter string, sel *index.Selection) *QueryDocument {
	d := &QueryDocument{
		FormatVersion: "1", Filter: filter, Source: sel.Source, Revision: sel.Revision, FilesTotal: sel.Total,
		FilesMatched: sel.Files.Len(), BytesMatched: sel.Bytes, UnparsedKeys: sel.Unparsed,
		Unparsed: append([]string{}, sel.UnparsedSample...), Funnel: []StepDocument{}, Unlisted: sel.Unlisted, Files: []FileDocument{},
	}
	if sel.Layout != nil {
		d.Layout = sel.Layout.String()
	}
	for _, step := range sel.Funnel {
		d.Funnel = append(d.Funnel, StepDocument(step))
	}
	return d
}
