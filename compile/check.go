package compile

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
)

// Checked is what Check finds.
type Checked struct {
	Diags   hcl.Diagnostics
	Sources Sources
	// Code are the files of code whose syntax is to be checked, by the names that diagnostics use. Libraries are those that must be
	// installed on this computer: none for stages with an image.
	Code []bundle.Source

	said  map[string]hcl.Range         // where the analysis leads to a file of code, for syntax errors
	calls map[string][]*hcl.Diagnostic // about the functions of an entry file
}

// Check finds what is wrong with an analysis besides the file itself, without its index: documents, code, layouts. An analysis with
// errors is checked as far as it goes.
func Check(a *lang.Analysis, w World) *Checked {
	r := newResolver(a, w)
	for _, f := range a.Filters {
		r.filter(f, r.layout(f))
	}
	c := &Checked{said: map[string]hcl.Range{}, calls: map[string][]*hcl.Diagnostic{}}
	earlier := map[addr.Stage]*StageCode{}
	for _, s := range a.Stages {
		if len(s.Code) > 0 {
			c.stage(r, s, earlier)
		}
		r.records(s, s.Format)
	}
	r.testFiles()
	r.images()
	r.builds()
	c.Diags, c.Sources = r.diags, r.sources
	return c
}

func (c *Checked) stage(r *resolver, s *lang.Stage, earlier map[addr.Stage]*StageCode) {
	found := bundle.Inspect(r.w.FS, s.Code)
	for _, p := range found.Problems {
		r.problem(s, p)
	}
	if found.Bundle == nil {
		return
	}
	for _, src := range found.Sources {
		src.Path = r.name(src.Path)
		if s.Image != "" {
			src.Libraries = nil
		}
		if _, known := c.said[src.Path]; !known {
			c.said[src.Path] = s.Range("code")
			c.Code = append(c.Code, src)
		}
	}
	before := len(r.diags)
	if code := r.stageCode(s, found.Bundle, earlier); code != nil {
		earlier[s.Addr()] = code
	}
	entry := r.name(found.Bundle.Entry)
	c.calls[entry] = append(c.calls[entry], r.diags[before:]...)
}

// Syntax adds what an interpreter says about files of Code; problems of other files are passed over. What was found out about the
// functions of a file that does not parse means nothing and is taken away.
func (c *Checked) Syntax(problems []bundle.Problem) {
	for _, p := range problems {
		at, ours := c.said[p.Path]
		i := slices.IndexFunc(c.Code, func(s bundle.Source) bool { return s.Path == p.Path })
		if !ours || i < 0 {
			continue
		}
		rng, related := at, []diag.Option(nil)
		if p.Line > 0 {
			c.Sources[p.Path] = c.Code[i].Data
			rng = problemRange(p.Path, c.Code[i].Data, p)
			related = append(related, diag.WithRelated("the code is named here", at))
		}
		c.Diags = append(c.Diags, codeDiagnostic(p, rng, related...))
		if !p.Warning {
			c.Diags = slices.DeleteFunc(c.Diags, func(d *hcl.Diagnostic) bool { return slices.Contains(c.calls[p.Path], d) })
		}
	}
}
