package taskcluster

import (
	"fmt"
	"strings"
)

// Problem is something that keeps a run from Taskcluster, or a warning. Codes are explained in docs/diagnostics.md.
type Problem struct {
	Code    string // such as taskcluster/missing-scopes
	Summary string
	Detail  string
	Warning bool
}

// String is the problem as people read it.
func (p Problem) String() string {
	word := "Error"
	if p.Warning {
		word = "Warning"
	}
	return fmt.Sprintf("%s: %s\n%s\n[%s]", word, p.Summary, p.Detail, p.Code)
}

// ProblemsError is that there are problems, of which not all are warnings. Nothing was sent.
type ProblemsError struct{ Problems []Problem }

func (e *ProblemsError) Error() string {
	var texts []string
	for _, p := range e.Problems {
		if !p.Warning {
			texts = append(texts, fmt.Sprintf("%s: %s [%s]", p.Summary, p.Detail, p.Code))
		}
	}
	return strings.Join(texts, "\n")
}

// problems collects problems, each text once: what is wrong with a stage is wrong with all its tasks.
type problems struct {
	list []Problem
	seen map[string]bool
}

func (ps *problems) add(p Problem) {
	if ps.seen[p.Code+p.Detail] {
		return
	}
	if ps.seen == nil {
		ps.seen = map[string]bool{}
	}
	ps.seen[p.Code+p.Detail] = true
	ps.list = append(ps.list, p)
}

func (ps *problems) error(code, summary, format string, args ...any) {
	ps.add(Problem{Code: code, Summary: summary, Detail: fmt.Sprintf(format, args...)})
}

func (ps *problems) warn(code, summary, format string, args ...any) {
	ps.add(Problem{Code: code, Summary: summary, Detail: fmt.Sprintf(format, args...), Warning: true})
}
