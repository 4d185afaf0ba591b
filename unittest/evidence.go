package unittest

import (
	"strings"
	"sync"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/unittest/laws"
)

// evidence gathers what reduces read in the tests: the pairs that their laws are checked with.
type evidence struct {
	a *lang.Analysis

	mu sync.Mutex
	by map[addr.Stage]map[string][]exhibit // by stage, then by the test's name
}

// exhibit is the pairs that a test gives a reduce.
type exhibit struct {
	laws      []string
	tolerance float64
	form      job.Form
	groups    []laws.Group
}

// sameCheck tells whether exhibits can be checked together.
func (e exhibit) sameCheck(o exhibit) bool {
	return strings.Join(e.laws, " ") == strings.Join(o.laws, " ") && e.tolerance == o.tolerance && e.form == o.form
}

func newEvidence(a *lang.Analysis) *evidence {
	return &evidence{a: a, by: map[addr.Stage]map[string][]exhibit{}}
}

// add takes what a reduce reads in a test, unless the test wants no laws checked.
func (s *evidence) add(t *lang.Test, reduce addr.Stage, ups []job.Upstream) error {
	if len(t.Laws) == 0 {
		return nil
	}
	e := exhibit{laws: t.Laws, tolerance: t.FloatTolerance}
	at := map[string]int{}
	for _, u := range ups {
		e.form = u.Form
		read, err := readPairs(u.Parts)
		if err != nil {
			return err
		}
		for _, p := range read {
			i, ok := at[p.Key]
			if !ok {
				i = len(e.groups)
				at[p.Key] = i
				e.groups = append(e.groups, laws.Group{Key: p.Key})
			}
			if p.Value == "" {
				p.Value = "null" // as the code sees it
			}
			e.groups[i].Values = append(e.groups[i].Values, p.Value)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by[reduce] == nil {
		s.by[reduce] = map[string][]exhibit{}
	}
	s.by[reduce][t.Name] = append(s.by[reduce][t.Name], e)
	return nil
}

// reduces are those that there is something to check with, inputs before their consumers.
func (s *evidence) reduces() []addr.Stage {
	var out []addr.Stage
	for _, stage := range s.a.Stages {
		if len(stage.Code)+len(stage.Command) == 0 {
			continue // an operation of tafc's own
		}
		if len(s.by[stage.Addr()]) > 0 {
			out = append(out, stage.Addr())
		}
	}
	return out
}

// of are the pairs that a reduce reads, of all tests that want the same checked together, in the order of the file.
func (s *evidence) of(reduce addr.Stage) []exhibit {
	var out []exhibit
	for _, t := range s.a.Tests {
		for _, e := range s.by[reduce][t.Name] {
			merged := false
			for i := range out {
				if !merged && out[i].sameCheck(e) {
					out[i].groups = append(out[i].groups, e.groups...)
					merged = true
				}
			}
			if !merged {
				out = append(out, e)
			}
		}
	}
	return out
}
