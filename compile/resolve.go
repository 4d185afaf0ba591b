package compile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/document"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
)

// World is what Resolve and Check read.
type World struct {
	FS fs.FS // the folder of the analysis
	// OpenIndex opens the source of an index. Check does not call it.
	OpenIndex func(*lang.Index) (index.Source, error)
	Memory    Memory // may be nil
}

type resolver struct {
	a     *lang.Analysis
	w     World
	diags hcl.Diagnostics
	// sources are the texts of files other than the analysis that diagnostics point into.
	sources map[string][]byte
	// conditions are those of each filter, with their places.
	conditions map[string]conditions
	// unsaid are what stood in the way of a filter, for which the index can tell what else would match.
	unsaid []unsaid
}

func newResolver(a *lang.Analysis, w World) *resolver {
	return &resolver{a: a, w: w, sources: map[string][]byte{}, conditions: map[string]conditions{}}
}

// Sources are texts of files, by name, for the snippets of diagnostics.
type Sources map[string][]byte

// Resolve reads everything that Compile needs: the files that each filter selects, and the code of each stage.
func Resolve(ctx context.Context, a *lang.Analysis, w World) (Input, hcl.Diagnostics, Sources) {
	r := newResolver(a, w)
	in := Input{Analysis: a, Selections: map[string]*index.Selection{}, Batches: map[addr.Stage]*Batched{}, Code: r.code(), Images: r.images()}
	for _, f := range a.Filters {
		sel := r.selection(ctx, f, func(rd *reading, src index.Source) (*index.Selection, error) {
			sel, batches, err := rd.planned(ctx, src)
			maps.Copy(in.Batches, batches)
			return sel, err
		})
		if sel != nil {
			r.checkSelection(f, sel)
			in.Selections[f.Name] = sel
		}
	}
	for _, s := range a.Stages {
		if sel := in.Selections[s.Input.Filter]; sel != nil {
			r.records(s, format(s, sel.Layout))
		} else {
			r.records(s, s.Format)
		}
	}
	return in, r.diags, r.sources
}

// Query is what one filter of an analysis selects, also when that is nothing; nil when there are errors.
func Query(ctx context.Context, a *lang.Analysis, w World, filter string) (*index.Selection, hcl.Diagnostics, Sources) {
	r := newResolver(a, w)
	for _, f := range a.Filters {
		if f.Name == filter {
			sel := r.selection(ctx, f, func(rd *reading, src index.Source) (*index.Selection, error) { return rd.whole(ctx, src) })
			if sel != nil {
				r.advise(f, sel)
			}
			return sel, r.diags, r.sources
		}
	}
	return nil, r.diags, r.sources
}

// QueryEach is Query for any number of files: the Selection's Files may only say how many there are, and each calls a function for every one
// of them, in key order, with the values of its dimensions.
func QueryEach(ctx context.Context, a *lang.Analysis, w World, filter string) (sel *index.Selection, each func(func(index.File) error) error, diags hcl.Diagnostics, sources Sources) {
	r := newResolver(a, w)
	for _, f := range a.Filters {
		if f.Name != filter {
			continue
		}
		sel = r.selection(ctx, f, func(rd *reading, src index.Source) (*index.Selection, error) {
			sel, err := index.Count(ctx, src, rd.layout, rd.root, rd.filter)
			if sel != nil || err != nil {
				each = func(fn func(index.File) error) error { return rd.each(ctx, fn) }
				return sel, err
			}
			if sel, err = rd.whole(ctx, src); err == nil {
				each = sel.Files.Each
			}
			return sel, err
		})
		if sel != nil {
			r.advise(f, sel)
		}
	}
	return sel, each, r.diags, r.sources
}

func (r *resolver) fail(code, summary, detail string, rng hcl.Range) {
	r.diags = append(r.diags, diag.Error(code, summary, detail, rng))
}

func (r *resolver) index(f *lang.Filter) *lang.Index {
	for _, ix := range r.a.Indexes {
		if ix.Name == f.Index {
			return ix
		}
	}
	return nil
}

// layout is the layout that the file itself names, nil when it leaves that to the source.
func (r *resolver) layout(f *lang.Filter) *index.Layout {
	ix := r.index(f)
	if ix == nil || ix.Layout == "" {
		return nil
	}
	if _, err := lang.LayoutDimensions(ix.Layout); err != nil {
		return nil // lang has said so
	}
	layout, err := index.ParseLayout(ix.Layout)
	if err != nil {
		r.fail("index/bad-layout", "Bad layout", sentence(err), ix.Range("layout"))
		return nil
	}
	return layout
}

// selection is what a filter selects, read by read; nil when there are errors.
func (r *resolver) selection(ctx context.Context, f *lang.Filter, read func(*reading, index.Source) (*index.Selection, error)) *index.Selection {
	ix := r.index(f)
	if ix == nil {
		return nil // lang has said so
	}
	layout := r.layout(f)
	filter := r.filter(f, layout)
	if filter == nil && f.Document != "" {
		r.counts(ctx, ix, layout)
	}
	if filter == nil || ix.Layout != "" && layout == nil {
		return nil
	}
	src, err := r.w.OpenIndex(ix)
	if err != nil {
		r.fail("index/unreadable", "Index cannot be read", sentence(err), ix.Range("source"))
		return nil
	}
	defer src.Close()
	root, ok := r.root(ix)
	if !ok {
		return nil
	}
	rd := &reading{w: r.w, index: ix, layout: layout, root: root, filter: *filter}
	for _, s := range r.a.Stages {
		if s.Input.Filter == f.Name {
			rd.stages = append(rd.stages, s)
		}
	}
	sel, err := read(rd, src)
	if err != nil {
		r.selectError(f, ix, err)
		return nil
	}
	if sel.Root == "" {
		r.fail("index/no-root", "Index without a root",
			fmt.Sprintf("Nothing says where the files of index %q are: its source lists only keys. Add root = \"FOLDER\", the folder that the keys are relative to.", ix.Name),
			ix.Range("source"))
		return nil
	}
	return sel
}

// root is the URL that keys are relative to; empty leaves it to the source.
func (r *resolver) root(ix *lang.Index) (string, bool) {
	switch _, _, ok := strings.Cut(ix.Root, "://"); {
	case ix.Root == "":
		return "", true
	case ok:
		return ix.Root, true
	}
	folder := ix.Root
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(r.a.Dir, folder)
	}
	abs, err := filepath.Abs(folder)
	if err != nil {
		r.fail("index/unreadable", "Root cannot be read", sentence(err), ix.Range("root"))
		return "", false
	}
	return index.FileURL(abs), true
}

func (r *resolver) selectError(f *lang.Filter, ix *lang.Index, err error) {
	var unknown *index.UnknownDimensionError
	var noLayout *index.NoLayoutError
	var condition *index.ConditionError
	switch {
	case errors.As(err, &unknown):
		r.fail("lang/unknown-dimension", "Unknown dimension",
			fmt.Sprintf("The files of index %q have no dimension %q; they have %s.%s", ix.Name, unknown.Name,
				strings.Join(unknown.Known, ", "), diag.DidYouMean(unknown.Name, unknown.Known)), termName(f, unknown.Name))
	case errors.As(err, &noLayout):
		r.fail("index/no-layout", "Files without dimensions", sentence(err), termName(f, noLayout.Dimension))
	case errors.As(err, &condition):
		r.fail("lang/bad-condition", "Bad condition", sentence(err), termName(f, condition.Term.Dimension))
	default:
		r.fail("index/unreadable", "Index cannot be read", sentence(err), ix.Range("source"))
	}
}

// termName is where a filter names a dimension.
func termName(f *lang.Filter, dimension string) hcl.Range {
	for _, t := range slices.Concat(f.Where, f.Exclude) {
		if t.Dimension == dimension {
			return t.NameRange
		}
	}
	return f.Range("document")
}

// checkSelection makes sure that a filter that selects nothing is not taken for a success.
func (r *resolver) checkSelection(f *lang.Filter, sel *index.Selection) {
	var dims []string
	if sel.Layout != nil {
		dims = sel.Layout.Dimensions()
	}
	r.unknownGroupBy(f, dims)
	if r.notDates(f, sel) {
		return
	}
	advice := r.advise(f, sel)
	if sel.Files.Len() > 0 || f.AllowEmpty {
		return
	}
	detail := fmt.Sprintf("None of the %d files of the index match. ", sel.Total)
	switch {
	case sel.Unlisted < 0:
		detail = fmt.Sprintf("None of the %d files that the source gave match; it left out others that the filter refuses, and did not count them. ", sel.Total)
	case sel.Unlisted > 0:
		detail = fmt.Sprintf("None of the %d files that were listed match, and %d folders were not listed, because the filter refuses what can be in them. ", sel.Total, sel.Unlisted)
	}
	left := sel.Total - sel.Unparsed
	switch {
	case sel.Total == 0 && sel.Unlisted == 0:
		detail = "The index holds no files at all. "
	case left == 0 && sel.Unlisted == 0 && sel.Layout != nil:
		detail = fmt.Sprintf("None of the %d keys of the index fits the layout %s (the first is %q). ", sel.Total, sel.Layout, first(sel.UnparsedSample))
	default:
		detail += advice.emptied(left)
	}
	r.fail("index/no-match", "No file matches", detail+"If that may be, write allow_empty = true.", f.DeclRange)
}

// notDates reports conditions on dates for dimensions that are none, where only the index tells.
func (r *resolver) notDates(f *lang.Filter, sel *index.Selection) bool {
	found := false
	for _, t := range slices.Concat(f.Where, f.Exclude) {
		if date := sel.Layout.DateDimension(); t.Condition.Dated && date != t.Dimension {
			r.diags = append(r.diags, lang.NotADate(t.Dimension, f.Index, date, t.NameRange))
			found = true
		}
	}
	return found
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// values lists what a dimension holds, for the message about a condition that nothing passes.
func values(sel *index.Selection, dimension string) string {
	const most = 8
	for _, d := range sel.Dimensions {
		if d.Name != dimension {
			continue
		}
		var names []string
		for i, v := range d.Values {
			if i == most {
				names = append(names, fmt.Sprintf("and %d more", len(d.Values)-most))
				break
			}
			names = append(names, fmt.Sprintf("%q", v.Value))
		}
		return " The index has " + strings.Join(names, ", ") + "."
	}
	return ""
}

// unknownGroupBy checks group_by of the stages over a filter against the dimensions that its files have.
func (r *resolver) unknownGroupBy(f *lang.Filter, dims []string) {
	for _, s := range r.a.Stages {
		if s.Input.Filter != f.Name {
			continue
		}
		for _, name := range s.Batch.GroupBy {
			if !slices.Contains(dims, name) {
				r.fail("lang/unknown-dimension", "Unknown dimension",
					fmt.Sprintf("Batches of %s cannot be grouped by %q: the files of its index have no such dimension.%s", s.Addr(), name, diag.DidYouMean(name, dims)),
					s.Range("group_by"))
			}
		}
	}
}

// filter is the filter in the index's terms, from the file itself or from its document; nil when that is broken.
func (r *resolver) filter(f *lang.Filter, layout *index.Layout) *index.Filter {
	if f.Document != "" {
		filter := r.document(f, layout)
		if filter != nil {
			filter.Limit = f.Limit
		}
		return filter
	}
	where, exclude := terms(f.Where), terms(f.Exclude)
	r.conditions[f.Name] = conditions{
		where: conditionsOf(f.Where, where), exclude: conditionsOf(f.Exclude, exclude), exact: f.ExactKeys,
	}
	return &index.Filter{Where: where, Exclude: exclude, AsService: f.ExactKeys, Limit: f.Limit}
}

func terms(ts []lang.Term) []index.Term {
	out := make([]index.Term, len(ts))
	for i, t := range ts {
		out[i] = index.Term{Dimension: t.Dimension, Op: index.Op(t.Condition.Op), Values: t.Condition.Values}
	}
	return out
}

func (r *resolver) document(f *lang.Filter, layout *index.Layout) *index.Filter {
	src, err := r.readFile(f.Document)
	if err != nil {
		r.fail("filter/unreadable", "Filter document cannot be read", sentence(err)+" The path is relative to the analysis file.", f.Range("document"))
		return nil
	}
	var dims []string
	if layout != nil {
		dims = layout.Dimensions()
	}
	filter, notices := document.Parse(r.name(f.Document), src, dims)
	diags := Notices(notices)
	r.diags = append(r.diags, diags...)
	for i, n := range notices {
		if len(n.Instead) > 0 {
			r.unsaid = append(r.unsaid, unsaid{diags[i], n.Instead, true})
		}
	}
	if filter == nil {
		return nil
	}
	cs := conditions{isDocument: true, exact: true}
	for i, t := range filter.Where {
		rng := placeRange(filter.Places[i].Place)
		c := condition{Term: t, name: rng, rng: rng}
		for _, place := range filter.Places[i].Values {
			c.at = append(c.at, placeRange(place))
		}
		cs.where = append(cs.where, c)
	}
	r.conditions[f.Name] = cs
	return &filter.Filter
}

// readFile reads a file of the analysis' folder and keeps it for the snippets of diagnostics.
func (r *resolver) readFile(name string) ([]byte, error) {
	src, err := fs.ReadFile(r.w.FS, filepath.ToSlash(filepath.Clean(name)))
	if err == nil {
		r.sources[r.name(name)] = src
	}
	return src, err
}

// name is how diagnostics call a file of the analysis' folder: from where the analysis itself was named.
func (r *resolver) name(file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.ToSlash(filepath.Join(filepath.Dir(r.a.Filename), file))
}

// sentence makes a sentence of an error.
func sentence(err error) string {
	text := err.Error()
	if text == "" {
		return ""
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "?") {
		text += "."
	}
	return text
}
