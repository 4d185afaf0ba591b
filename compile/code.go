package compile

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
)

// code collects the code of every stage and finds out how it is called.
func (r *resolver) code() map[addr.Stage]*StageCode {
	out := map[addr.Stage]*StageCode{}
	for _, s := range r.a.Stages {
		if len(s.Code) == 0 {
			continue
		}
		b, problems := bundle.Collect(r.w.FS, s.Code)
		for _, p := range problems {
			r.problem(s, p)
		}
		if b == nil {
			continue
		}
		if c := r.stageCode(s, b, out); c != nil {
			out[s.Addr()] = c
		}
	}
	return out
}

func (r *resolver) stageCode(s *lang.Stage, b *bundle.Bundle, earlier map[addr.Stage]*StageCode) *StageCode {
	hint := ""
	if up := earlier[s.Input.Stage]; up != nil {
		hint = up.Contract
	}
	contract, function, problem := b.Contract(string(s.Kind), hint)
	switch {
	case s.Contract != "" || s.Entry != "":
		// What the file says is taken; the function itself is looked up when the code is loaded.
		if s.Contract != "" {
			contract = s.Contract
		}
		if s.Entry != "" {
			function = s.Entry
		}
		if contract == "" {
			contract = "taf"
		}
	case problem != nil:
		r.problem(s, *problem)
		return nil
	}
	return &StageCode{
		Bundle: b, Contract: contract, Function: function,
		Combine: s.Kind == lang.Reduce && (contract == "taf" || contract == "telemetry-server") && b.HasCombine(),
	}
}

// problem reports what is wrong with user code at its own place, or at the argument that names it.
func (r *resolver) problem(s *lang.Stage, p bundle.Problem) {
	rng := s.Range("code")
	var related []diag.Option
	if p.Line > 0 {
		if src, err := r.readFile(p.Path); err == nil {
			rng = lineRange(r.name(p.Path), src, p.Line)
			related = append(related, diag.WithRelated("the code of "+s.Addr().String(), s.Range("code")))
		}
	}
	d := diag.Error(p.Code, p.Summary, p.Detail, rng, related...)
	if p.Warning {
		d.Severity = hcl.DiagWarning
	}
	r.diags = append(r.diags, d)
}

// lineRange is a whole line without its indentation.
func lineRange(name string, src []byte, line int) hcl.Range {
	start, n := 0, 1
	for i, b := range src {
		if n == line {
			break
		}
		if b == '\n' {
			n++
			start = i + 1
		}
	}
	end := start
	for end < len(src) && src[end] != '\n' && src[end] != '\r' {
		end++
	}
	indent := 0
	for start+indent < end && (src[start+indent] == ' ' || src[start+indent] == '\t') {
		indent++
	}
	return hcl.Range{
		Filename: name,
		Start:    hcl.Pos{Line: line, Column: indent + 1, Byte: start + indent},
		End:      hcl.Pos{Line: line, Column: end - start + 1, Byte: end},
	}
}
