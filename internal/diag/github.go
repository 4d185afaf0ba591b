package diag

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

var (
	// What a workflow command would read as its end. GitHub's runner decodes these and nothing else.
	githubMessage  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// WriteGitHub writes the report as workflow commands of GitHub Actions, one line for each diagnostic, which GitHub shows beside the
// line of the file. Relative turns the name of a file into its path in the repository, with slashes.
func (r *Report) WriteGitHub(w io.Writer, relative func(string) string) error {
	b := bufio.NewWriter(w)
	for i := range r.Diagnostics {
		d := &r.Diagnostics[i]
		var properties []string
		add := func(name, value string) { properties = append(properties, name+"="+githubProperty.Replace(value)) }
		if d.Range != nil {
			add("file", relative(d.Range.Filename))
			r.githubLines(d.Range, func(name string, value int) { add(name, fmt.Sprint(value)) })
		}
		add("title", d.Summary)
		fmt.Fprintf(b, "::%s %s::%s\n", d.Severity, strings.Join(properties, ","), githubMessage.Replace(printable(d.message(relative))))
	}
	return b.Flush()
}

// githubLines names the place inside of the file. GitHub takes columns only of a range within one line.
func (r *Report) githubLines(rng *Range, add func(name string, value int)) {
	if rng.Start.Line == 0 {
		return
	}
	add("line", rng.Start.Line)
	add("endLine", max(rng.End.Line, rng.Start.Line))
	if rng.End.Line == rng.Start.Line {
		chars := r.InCodePoints(*rng)
		add("col", chars.Start.Column)
		add("endColumn", max(chars.End.Column, chars.Start.Column))
	}
}

// message is the detail with what belongs to it, for formats that have one text for all.
func (d *Diagnostic) message(relative func(string) string) string {
	lines := []string{d.Detail}
	if d.Detail == "" {
		lines = []string{d.Summary}
	}
	for _, rel := range d.Related {
		where := rel.Range
		where.Filename = relative(where.Filename)
		lines = append(lines, rel.Message+": "+placeOf(&where))
	}
	return strings.Join(append(lines, "["+d.Code+"]"), "\n")
}
