package compile

import (
	"unicode/utf8"

	"github.com/apparentlymart/go-textseg/v15/textseg"
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
	for _, in := range s.Input.Stages() {
		if up := earlier[in]; up != nil {
			hint = up.Contract
		}
	}
	contract, function, problem := b.Contract(string(s.Kind), hint)
	switch {
	case s.Contract != "" || s.Entry != "":
		// What the file says is taken; a function that cannot be seen is looked up when the code is loaded.
		if s.Contract != "" {
			contract = s.Contract
		}
		if s.Entry != "" {
			function = s.Entry
		}
		if contract == "" {
			contract = "taf"
		}
		if p := b.CheckSaid(string(s.Kind), contract, s.Entry); p != nil {
			r.problem(s, *p)
			return nil
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
	if p.Code == "bundle/contract" && s.Entry != "" {
		rng = s.Range("entry")
	}
	var related []diag.Option
	if p.Line > 0 {
		if src, err := r.readFile(p.Path); err == nil {
			rng = problemRange(r.name(p.Path), src, p)
			related = append(related, diag.WithRelated("the code of "+s.Addr().String(), s.Range("code")))
		}
	}
	r.diags = append(r.diags, codeDiagnostic(p, rng, related...))
}

func codeDiagnostic(p bundle.Problem, rng hcl.Range, related ...diag.Option) *hcl.Diagnostic {
	if p.Warning {
		return diag.Warning(p.Code, p.Summary, p.Detail, rng, related...)
	}
	return diag.Error(p.Code, p.Summary, p.Detail, rng, related...)
}

// problemRange is the range of a problem in its file: the whole line where nothing more is known.
func problemRange(name string, src []byte, p bundle.Problem) hcl.Range {
	rng := lineRange(name, src, p.Line)
	if p.Column == 0 {
		return rng
	}
	start := posIn(src, p.Line, p.Column)
	end := posIn(src, max(p.EndLine, p.Line), p.EndColumn)
	if end.Byte <= start.Byte {
		end = posIn(src, p.Line, p.Column+1)
	}
	return hcl.Range{Filename: name, Start: start, End: end}
}

// posIn is the position of a column, counted from 1 in code points; one beyond the end of its line is that end.
func posIn(src []byte, line, column int) hcl.Pos {
	whole := lineRange("", src, line)
	from := whole.Start.Byte - (whole.Start.Column - 1) // indentation is one byte each
	pos := hcl.Pos{Line: whole.Start.Line, Column: 1, Byte: from}
	text := src[from:whole.End.Byte]
	for i := 1; i < column && len(text) > 0; {
		n, cluster, err := textseg.ScanGraphemeClusters(text, true)
		if err != nil || n == 0 {
			break
		}
		i += utf8.RuneCount(cluster)
		pos.Column++
		pos.Byte += n
		text = text[n:]
	}
	return pos
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
