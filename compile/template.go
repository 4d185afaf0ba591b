package compile

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/runtime/job"
)

// Template is a stage without its input, for running its code on something else than the files of its filter.
type Template struct {
	Stage   *lang.Stage
	Spec    job.Spec // without task, role, files and upstream; Code has no Dir
	Bundle  *bundle.Bundle
	Combine bool          // the code has a combine
	Layout  *index.Layout // of a map over files, where the analysis names one; nil: only the index could tell
}

// Templates makes a template of every stage, without reading an index. A stage whose code is broken has none.
func Templates(a *lang.Analysis, w World) (map[addr.Stage]*Template, hcl.Diagnostics, Sources) {
	r := newResolver(a, w)
	in := Input{Analysis: a, Code: r.code()}
	r.testFiles()
	c := &compiler{in: in, graph: &Graph{Analysis: a.Name}}
	out := map[addr.Stage]*Template{}
	for _, s := range a.Stages {
		code := in.Code[s.Addr()]
		if len(s.Code) > 0 && code == nil {
			continue
		}
		t := &Template{Stage: s}
		var sel *index.Selection
		for _, f := range a.Filters {
			if f.Name == s.Input.Filter {
				t.Layout = r.layout(f)
				sel = &index.Selection{Layout: t.Layout}
			}
		}
		stage := c.newStage(s, sel, 1)
		t.Spec, t.Bundle = stage.Spec, stage.Bundle
		if code != nil {
			t.Combine = code.Combine
		}
		out[s.Addr()] = t
	}
	return out, r.diags, r.sources
}
