package unittest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sync"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
)

// Options say which tests are run, and how.
type Options struct {
	Run     *regexp.Regexp // only tests in whose names it finds something; nil: all
	Seed    uint64         // of what the checks of laws make up
	Workers int            // tests at once; 0: as many as there are cores
}

// runner is one Run.
type runner struct {
	a         *lang.Analysis
	templates map[addr.Stage]*compile.Template
	o         Options
	dir       string
	code      map[*bundle.Bundle]string // the folders of bundles
	slots     chan struct{}
}

// Run runs the tests of an analysis, several at a time, then checks the laws of the reduces with the pairs that came up. An
// error is one of this computer, or of ctx; what is wrong with a test or with code is in the Document.
func Run(ctx context.Context, a *lang.Analysis, templates map[addr.Stage]*compile.Template, o Options) (doc *Document, err error) {
	if o.Workers < 1 {
		o.Workers = runtime.NumCPU()
	}
	r := &runner{a: a, templates: templates, o: o, code: map[*bundle.Bundle]string{}, slots: make(chan struct{}, o.Workers)}
	if r.dir, err = os.MkdirTemp("", "tafc-test-"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.dir)) }()
	if err := r.unpack(); err != nil {
		return nil, err
	}
	doc = &Document{FormatVersion: FormatVersion, Analysis: a.Name, Seed: o.Seed, Tests: []Test{}, Laws: []Law{}, Diagnostics: []diag.Diagnostic{}}
	var tests []*lang.Test
	for _, t := range a.Tests {
		if o.Run == nil || o.Run.MatchString(t.Name) {
			tests = append(tests, t)
		}
	}
	seen := newEvidence(a)
	doc.Tests = make([]Test, len(tests))
	if err := r.each(ctx, len(tests), func(i int) { doc.Tests[i] = r.test(ctx, tests[i], seen) }); err != nil {
		return nil, err
	}
	reduces := seen.reduces()
	doc.Laws = make([]Law, len(reduces))
	if err := r.each(ctx, len(reduces), func(i int) { doc.Laws[i] = r.laws(ctx, reduces[i], seen.of(reduces[i])) }); err != nil {
		return nil, err
	}
	// A reduce for which no law could be looked at has no entry.
	doc.Laws = slices.DeleteFunc(doc.Laws, func(l Law) bool { return len(l.Laws) == 0 && l.Message == "" })
	for _, t := range doc.Tests {
		doc.count(t.Passed)
	}
	for _, l := range doc.Laws {
		doc.count(l.Passed)
	}
	return doc, nil
}

func (d *Document) count(passed bool) {
	if passed {
		d.Passed++
	} else {
		d.Failed++
	}
}

// each calls do for the numbers below n, several at a time, until ctx ends.
func (r *runner) each(ctx context.Context, n int, do func(i int)) error {
	var all sync.WaitGroup
	for i := range n {
		r.slots <- struct{}{}
		all.Go(func() {
			defer func() { <-r.slots }()
			if ctx.Err() == nil {
				do(i)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// unpack writes the code of all stages, each bundle once.
func (r *runner) unpack() error {
	byDigest := map[string]string{}
	for _, s := range r.a.Stages {
		t := r.templates[s.Addr()]
		if t == nil || t.Bundle == nil {
			continue
		}
		digest := t.Bundle.Digest()
		if byDigest[digest] == "" {
			byDigest[digest] = filepath.Join(r.dir, "code-"+digest)
			if err := t.Bundle.Unpack(byDigest[digest], func(path string, data []byte, mode fs.FileMode) error {
				return os.WriteFile(path, data, mode)
			}); err != nil {
				return fmt.Errorf("unpack the code: %w", err)
			}
		}
		r.code[t.Bundle] = byDigest[digest]
	}
	return nil
}
