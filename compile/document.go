package compile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/document"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
)

// unsaid is an error about a condition with what could stand there instead.
type unsaid struct {
	diag    *hcl.Diagnostic
	instead []document.Alternative
	exact   bool // index.Filter.AsService
}

// Weigh adds to errors about conditions how many files of the index what was probably meant would match. It reads the indexes of
// an analysis that has errors.
func Weigh(ctx context.Context, a *lang.Analysis, w World) {
	r := newResolver(a, w)
	for _, d := range a.Doubts {
		f := &lang.Filter{Index: d.Index}
		ix, layout := r.index(f), r.layout(f)
		if ix == nil || ix.Layout != "" && layout == nil {
			continue
		}
		u := unsaid{diag: d.Diag}
		for _, c := range d.Instead {
			u.instead = append(u.instead, document.Alternative{Write: c.String(), Term: index.Term{Dimension: d.Dimension, Op: index.Op(c.Op), Values: c.Values}})
		}
		r.unsaid = []unsaid{u}
		r.counts(ctx, ix, layout)
	}
}

// Notices are the notices of a document as diagnostics, in their order.
func Notices(notices []document.Notice) hcl.Diagnostics {
	diags := make(hcl.Diagnostics, len(notices))
	for i, n := range notices {
		diags[i] = diag.Error(n.Code, n.Summary, n.Detail, placeRange(n.Place))
		if n.Warning {
			diags[i].Severity = hcl.DiagWarning
		}
	}
	return diags
}

func placeRange(p document.Place) hcl.Range {
	return hcl.Range{
		Filename: p.Filename,
		Start:    hcl.Pos{Line: p.Line, Column: p.Column, Byte: p.Byte},
		End:      hcl.Pos{Line: p.EndLine, Column: p.EndColumn, Byte: p.EndByte},
	}
}

// counts adds to the errors about conditions how many files of the index each alternative would match. An index that cannot be read is
// not what the user has to mend first, so nothing is said about it.
func (r *resolver) counts(ctx context.Context, ix *lang.Index, layout *index.Layout) {
	defer func() { r.unsaid = nil }()
	if len(r.unsaid) == 0 {
		return
	}
	src, err := r.w.OpenIndex(ix)
	if err != nil {
		return
	}
	defer src.Close()
	if _, live := src.(index.Pruner); live {
		return // to count everything would be a whole listing
	}
	sel, err := index.Select(ctx, src, layout, "", index.Filter{})
	if err != nil {
		return
	}
	for _, u := range r.unsaid {
		var parts []string
		for _, alternative := range u.instead {
			if files, ok := countFiles(sel, alternative.Term, u.exact); ok {
				parts = append(parts, fmt.Sprintf("%s would match %s", alternative.Write, counted(files, "file")))
			}
		}
		if len(parts) > 0 {
			u.diag.Detail += fmt.Sprintf(" Of the %s in the index, %s.", counted(sel.Files.Len(), "file"), strings.Join(parts, ", "))
		}
	}
}

// countFiles is how many files have a value for which a term holds.
func countFiles(sel *index.Selection, t index.Term, exact bool) (files int, ok bool) {
	i := slices.IndexFunc(sel.Dimensions, func(d index.Dimension) bool { return d.Name == t.Dimension })
	if i < 0 {
		return 0, false
	}
	holds, err := index.CompileTerm(t, exact)
	if err != nil {
		return 0, false
	}
	for _, v := range sel.Dimensions[i].Values {
		if holds(v.Value) {
			files += v.Files
		}
	}
	return files, true
}
