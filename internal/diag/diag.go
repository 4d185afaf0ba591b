package diag

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Info is what our diagnostics carry beyond HCL's own fields, in Extra.
type Info struct {
	Code    string    // stable words, such as lang/unknown-reference
	Related []Related // other places that belong to the problem
	Instead []string  // codes of diagnostics at the same place that this one makes superfluous
}

// Related is another place that belongs to a problem.
type Related struct {
	Message string // such as "first declared here"
	Range   hcl.Range
}

// SyntaxCode is the code of diagnostics that carry none: those of HCL's parser.
const SyntaxCode = "lang/syntax"

// Option adds to a diagnostic.
type Option func(*hcl.Diagnostic, *Info)

// Instead makes diagnostics at the same place with this code superfluous: this one says the same, and more.
func Instead(code string) Option {
	return func(_ *hcl.Diagnostic, i *Info) { i.Instead = append(i.Instead, code) }
}

// WithRelated adds another place.
func WithRelated(message string, rng hcl.Range) Option {
	return func(_ *hcl.Diagnostic, i *Info) { i.Related = append(i.Related, Related{message, rng}) }
}

// Error makes an error. The zero subject means that the problem has no place in a file. The summary is terse and constant;
// the detail says in full sentences what is wrong, why, and what to do.
func Error(code, summary, detail string, subject hcl.Range, opts ...Option) *hcl.Diagnostic {
	return build(hcl.DiagError, code, summary, detail, subject, opts)
}

// Warning makes a warning: something that does not stop, but is probably not meant.
func Warning(code, summary, detail string, subject hcl.Range, opts ...Option) *hcl.Diagnostic {
	return build(hcl.DiagWarning, code, summary, detail, subject, opts)
}

func build(severity hcl.DiagnosticSeverity, code, summary, detail string, subject hcl.Range, opts []Option) *hcl.Diagnostic {
	info := &Info{Code: code}
	d := &hcl.Diagnostic{Severity: severity, Summary: summary, Detail: detail, Extra: info}
	if subject != (hcl.Range{}) {
		d.Subject = &subject
	}
	for _, opt := range opts {
		opt(d, info)
	}
	return d
}

// WithCode gives diagnostics that HCL or another library made a code. Those that have one keep it.
func WithCode(code string, diags hcl.Diagnostics) hcl.Diagnostics {
	out := make(hcl.Diagnostics, len(diags))
	for i, d := range diags {
		out[i] = d
		if infoOf(d) == nil {
			coded := *d
			coded.Extra = &Info{Code: code}
			out[i] = &coded
		}
	}
	return out
}

func infoOf(d *hcl.Diagnostic) *Info {
	info, _ := d.Extra.(*Info)
	return info
}

// CodeOf is the code of a diagnostic, SyntaxCode when it has none.
func CodeOf(d *hcl.Diagnostic) string {
	if info := infoOf(d); info != nil && info.Code != "" {
		return info.Code
	}
	return SyntaxCode
}

// RelatedOf are the related places of a diagnostic.
func RelatedOf(d *hcl.Diagnostic) []Related {
	if info := infoOf(d); info != nil {
		return info.Related
	}
	return nil
}

// Sort returns the diagnostics by file and position, errors first at one place, without those that say the same twice or less than another
// one (Instead).
// Diagnostics without a place come first.
func Sort(diags hcl.Diagnostics) hcl.Diagnostics {
	type key struct {
		rng  hcl.Range
		code string
	}
	superfluous := map[key]bool{}
	for _, d := range diags {
		if info := infoOf(d); info != nil {
			for _, code := range info.Instead {
				superfluous[key{subject(d), code}] = true
			}
		}
	}
	out := slices.DeleteFunc(slices.Clone(diags), func(d *hcl.Diagnostic) bool { return superfluous[key{subject(d), CodeOf(d)}] })
	slices.SortStableFunc(out, compare)
	return slices.CompactFunc(out, func(a, b *hcl.Diagnostic) bool { return compare(a, b) == 0 })
}

func compare(a, b *hcl.Diagnostic) int {
	ra, rb := subject(a), subject(b)
	return cmp.Or(
		strings.Compare(ra.Filename, rb.Filename),
		cmp.Compare(ra.Start.Byte, rb.Start.Byte),
		cmp.Compare(ra.Start.Line, rb.Start.Line), // user code may have lines and no bytes
		cmp.Compare(ra.End.Byte, rb.End.Byte),
		cmp.Compare(a.Severity, b.Severity),
		strings.Compare(CodeOf(a), CodeOf(b)),
		strings.Compare(a.Summary, b.Summary),
		strings.Compare(a.Detail, b.Detail),
	)
}

func subject(d *hcl.Diagnostic) hcl.Range {
	if d.Subject == nil {
		return hcl.Range{}
	}
	return *d.Subject
}

// Err makes a Go error of the errors among the diagnostics, nil when there are none.
func Err(diags hcl.Diagnostics) error {
	var errs []error
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			errs = append(errs, errors.New(d.Error()))
		}
	}
	return errors.Join(errs...)
}
