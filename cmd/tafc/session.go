package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/pflag"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/engine/local"
	tc "github.com/tafc/tafc/engine/taskcluster"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/open"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/order"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/plan"
	"github.com/tafc/tafc/state"
)

// inputs are the flags that say which analysis is meant, with which values.
type inputs struct {
	vars      []string
	varFiles  []string
	state     string
	engine    string
	targets   []string
	now       string
	workers   uint
	container string
	// failedOnly limits a plan to the tasks that failed and what waits for them.
	failedOnly bool
	// quarantined limits it to the quarantined records of the last results and what stands on them.
	quarantined bool
	// determinism runs a sample of the tasks twice.
	determinism bool
	// check is for tafc validate: variables need no value, and what nobody uses is told.
	check bool
	// several analyses are loaded with the same values, and not all need to declare all variables.
	several bool
}

func (in *inputs) stateFlag(f *pflag.FlagSet) {
	f.StringVar(&in.state, "state", os.Getenv("TAF_STATE"), "folder of the state instead of .taf beside the analysis")
}

func (in *inputs) workersFlag(f *pflag.FlagSet) {
	f.UintVar(&in.workers, "workers", 0, "tasks at once (default: what the analysis says, else the number of cores)")
}

func (in *inputs) determinismFlag(f *pflag.FlagSet) {
	f.BoolVar(&in.determinism, "check-determinism", false, "run a sample of each stage's tasks a second time, and fail when their results differ")
}

func (in *inputs) containerFlag(f *pflag.FlagSet) {
	f.StringVar(&in.container, "container", "", "when tasks with an image run in a container: auto, docker, podman or none (default: what the analysis says, else auto)")
}

// checkContainer makes sure that -container is a word that it takes.
func (in *inputs) checkContainer() error {
	if words := local.ContainerModes(); in.container != "" && !slices.Contains(words, in.container) {
		return usageError("-container %s is not known: auto, docker, podman or none.%s", in.container, diag.DidYouMean(in.container, words))
	}
	return nil
}

func (in *inputs) varFlags(f *pflag.FlagSet) {
	f.Var((*repeated)(&in.vars), "var", "set a variable: -var NAME=VALUE (may be repeated)")
	f.StringVar(&in.now, "now", os.Getenv("TAF_NOW"), "date that days and last_complete_day count from (default: today, UTC)")
	f.Var((*repeated)(&in.varFiles), "var-file", "set variables from a file of NAME = VALUE lines (may be repeated)")
}

func (in *inputs) planFlags(f *pflag.FlagSet) {
	in.stateFlag(f)
	in.varFlags(f)
	f.StringVar(&in.engine, "engine", "", "engine to use instead of the one of the analysis: local or taskcluster")
	f.Var((*repeated)(&in.targets), "target", "only this stage or task and what it needs (may be repeated)")
}

// findFile is the analysis that is meant when the command line names none.
func findFile(args []string, at int) (string, error) {
	if len(args) > at {
		return args[at], nil
	}
	found, err := analysesHere()
	if err != nil {
		return "", err
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return "", usageError("there are several analyses in this folder; name one of them: %s", strings.Join(found, ", "))
}

// session is an analysis that was loaded, with its state.
type session struct {
	app      *app
	in       *inputs
	analysis *lang.Analysis
	diags    hcl.Diagnostics
	sources  map[string][]byte
	state    *state.DB
	// outputDir is what the paths of outputs are relative to.
	outputDir string
}

// load reads and checks the analysis file. With errors in the session's diagnostics the analysis is only as much of it as
// could be understood.
func (a *app) load(file string, in *inputs) (*session, error) {
	s := &session{app: a, in: in, sources: map[string][]byte{}, outputDir: filepath.Dir(file)}
	src, err := readAnalysis(file)
	if err != nil {
		return nil, &unreadableError{err}
	}
	s.sources[file] = src
	options, err := s.options(file)
	if err != nil || s.diags.HasErrors() {
		return s, err
	}
	s.analysis, s.diags = lang.Load(file, src, options)
	return s, nil
}

// options are what the analysis sees besides its text; problems of files of values are in the session's diagnostics.
func (s *session) options(file string) (lang.Options, error) {
	in, dir := s.in, filepath.Dir(file)
	vars, err := s.variables()
	if err != nil {
		return lang.Options{}, err
	}
	if in.engine != "" && !slices.Contains(lang.Engines(), in.engine) {
		return lang.Options{}, usageError("there is no engine %q.%s The engines are %s", in.engine, diag.DidYouMean(in.engine, lang.Engines()), strings.Join(lang.Engines(), " and "))
	}
	now, err := in.clock()
	if err != nil {
		return lang.Options{}, err
	}
	return lang.Options{
		Version: versionText(), Engine: in.engine, Variables: vars, Now: now, ReadFile: readFrom(dir), Glob: globIn(dir), LookupEnv: os.LookupEnv, Unset: in.check, Unused: in.check,
	}, nil
}

// clock is the time that an analysis sees: that of -now or TAF_NOW, else the present.
func (in *inputs) clock() (time.Time, error) {
	if in.now == "" {
		return time.Now(), nil
	}
	if at, err := time.Parse(time.RFC3339, in.now); err == nil {
		return at, nil
	}
	date, ok := order.ParseDate(in.now)
	if !ok {
		return time.Time{}, usageError("-now (or TAF_NOW) %q: write a date such as 2014-03-08, or a time such as 2014-03-08T12:00:00Z", in.now)
	}
	return date, nil
}

// unreadableError says that there is no analysis of that name, or that it cannot be read.
type unreadableError struct{ err error }

func (e *unreadableError) Error() string { return fmt.Sprintf("read analysis: %v", e.err) }

func (e *unreadableError) Unwrap() error { return e.err }

// readAnalysis reads a file, of one that is too large only as much as shows that.
func readAnalysis(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, lang.MaxSize+1))
}

// stateDir is the folder of the state: -state, TAF_STATE, or .taf beside the analysis.
func (in *inputs) stateDir(file string) string {
	if in.state != "" {
		return in.state
	}
	return filepath.Join(filepath.Dir(file), ".taf")
}

func (s *session) openState(ctx context.Context, dir string) error {
	db, err := state.Open(ctx, dir)
	if err != nil {
		return err
	}
	s.state = db
	return nil
}

func (s *session) close() {
	if s.state != nil {
		s.state.Close()
	}
}

// world is what checks read; they open no index.
func (s *session) world() compile.World { return s.worldOf(context.Background()) }

func (s *session) worldOf(ctx context.Context) compile.World {
	w := compile.World{
		FS: os.DirFS(s.analysis.Dir),
		OpenIndex: func(ix *lang.Index) (index.Source, error) {
			return open.Open(ctx, ix.Source, open.Options{Table: ix.Table, Columns: ix.Columns, Layout: ix.Layout, BaseDir: s.analysis.Dir, S3: s3Config(&ix.S3)})
		},
	}
	if s.state != nil {
		w.Memory = s.state.Cache(programIdentity())
	}
	return w
}

// compile makes the graph; nil with diagnostics in s.diags when it cannot be made.
func (s *session) compile(ctx context.Context) *compile.Graph {
	input, diags, sources := compile.Resolve(ctx, s.analysis, s.worldOf(ctx))
	s.diags = append(s.diags, diags...)
	for name, text := range sources {
		s.sources[name] = text
	}
	if s.diags.HasErrors() {
		return nil
	}
	if s.deployed() {
		input.MaxFanIn = s.deploymentSettings().MaxFanIn(0)
	}
	g, diags := compile.Compile(input)
	if s.deployed() && g != nil {
		bound, err := s.fanIn(ctx, g, s.deploymentSettings())
		if err != nil {
			fmt.Fprintf(s.app.streams.Err, "%v\n", err)
		}
		if bound > 0 {
			input.MaxFanIn = bound
			g, diags = compile.Compile(input)
		}
	}
	s.diags = append(s.diags, diags...)
	return g
}

// plan loads, compiles and compares; the plan is nil when there are errors in the session's diagnostics.
func (a *app) plan(ctx context.Context, file string, in *inputs) (*session, *plan.Plan, error) {
	s, err := a.load(file, in)
	if err != nil {
		return s, nil, err
	}
	if s.diags.HasErrors() {
		compile.Weigh(ctx, s.analysis, s.worldOf(ctx))
		return s, nil, nil
	}
	if err := s.openState(ctx, in.stateDir(file)); err != nil {
		return s, nil, err
	}
	p, err := s.plan(ctx)
	return s, p, err
}

// plan compiles and compares; the plan is nil when there are errors in s.diags.
func (s *session) plan(ctx context.Context) (*plan.Plan, error) {
	// A plan makes much that stays and little garbage.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	g := s.compile(ctx)
	if g == nil {
		return nil, nil
	}
	targets, err := parseTargets(s.in.targets, g)
	if err != nil {
		return nil, err
	}
	if s.in.failedOnly {
		if targets, err = s.failedAndWaiting(ctx, g); err != nil {
			return nil, err
		}
	}
	prior, err := readPrior(ctx, s.state, g)
	if err != nil {
		return nil, err
	}
	var settings *tc.Settings
	if s.deployed() {
		settings = s.deploymentSettings()
		if prior.Origins, err = s.remotePrior(ctx, g, &prior, settings); err != nil {
			return nil, err
		}
	}
	if s.in.quarantined {
		if prior.Mend, targets, err = s.mendable(ctx, g); err != nil {
			return nil, err
		}
	}
	p := plan.New(g, prior, targets)
	if err := g.Err(); err != nil {
		return nil, err
	}
	p.Engine, p.Workers = s.analysis.Engine, s.analysis.Local.Workers
	if settings != nil {
		if p.Settings, err = json.Marshal(settings); err != nil {
			return nil, err
		}
	}
	p.Container = s.analysis.Local.Container
	if p.Home, err = filepath.Abs(s.analysis.Dir); err != nil {
		return nil, err
	}
	p.State, err = filepath.Abs(s.state.Dir())
	return p, err
}

// checkFence makes sure that what a saved plan was made for is still so: its indexes and the state.
func (s *session) checkFence(ctx context.Context, p *plan.Plan) error {
	serial, err := s.state.Serial(ctx, p.Analysis)
	if err != nil {
		return err
	}
	if serial != p.Fence.State {
		return fmt.Errorf("%s was applied since the plan was made", p.Analysis)
	}
	for _, src := range p.Graph.Sources {
		revision, err := currentRevision(ctx, src)
		if err != nil {
			return err
		}
		if revision != p.Fence.Index[src.Filter] {
			return fmt.Errorf("the index %s (%s) has changed", src.Index, src.Source)
		}
	}
	return nil
}

// currentRevision is the revision that a selection from the source would have now.
func currentRevision(ctx context.Context, src compile.Source) (string, error) {
	ix, err := open.Open(ctx, src.Spec, open.Options{Table: src.Table, Columns: src.Columns, Layout: src.Layout, S3: s3Config(src.S3)})
	if err != nil {
		return "", err
	}
	defer ix.Close()
	if src.Live == nil {
		return ix.Revision(ctx)
	}
	var layout *index.Layout
	if src.Layout != "" {
		if layout, err = index.ParseLayout(src.Layout); err != nil {
			return "", err
		}
	}
	sel, err := index.Select(ctx, ix, layout, "", *src.Live)
	if err != nil {
		return "", err
	}
	return sel.Revision, nil
}

func parseTargets(texts []string, g *compile.Graph) ([]addr.Task, error) {
	var targets []addr.Task
	var stages []addr.Stage
	for _, s := range g.Stages {
		stages = append(stages, s.Addr)
	}
	for _, text := range texts {
		meant, err := addresses(text, stages)
		if err != nil {
			return nil, usageError("-target: %w", err)
		}
		for _, t := range meant {
			if !slices.ContainsFunc(g.Tasks, func(task *compile.Task) bool {
				return task.Addr == t || t.Name == "" && task.Stage.Addr == t.Stage
			}) {
				return nil, usageError("-target: the analysis has no %s", t)
			}
		}
		targets = append(targets, meant...)
	}
	return targets, nil
}

// envPrefix begins the names of environment variables that set variables of an analysis.
const envPrefix = "TAF_VAR_"

// variables are the values of the environment, of -var-file and of -var, where the later one wins.
func (s *session) variables() (map[string]lang.VariableInput, error) {
	vars := map[string]lang.VariableInput{}
	for _, e := range os.Environ() {
		name, value, _ := strings.Cut(e, "=")
		if name, ok := strings.CutPrefix(name, envPrefix); ok {
			vars[name] = lang.VariableInput{Text: value, Source: envPrefix + name, Lenient: true}
		}
	}
	for _, name := range s.in.varFiles {
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("-var-file: %w", err)
		}
		// Its lines are not shown with problems: they may hold what is sensitive.
		inputs, diags := lang.ParseVarFile(name, src)
		s.diags = append(s.diags, diags...)
		for name, v := range inputs {
			v.Lenient = s.in.several
			vars[name] = v
		}
	}
	for _, v := range s.in.vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return nil, usageError("-var %q: write -var NAME=VALUE", v)
		}
		vars[name] = lang.VariableInput{Text: value, Source: "-var", Lenient: s.in.several}
	}
	return vars, nil
}

// readFrom reads files whose paths are relative to a folder.
func readFrom(dir string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) { return os.ReadFile(within(dir, name)) }
}

// globIn lists files of a folder, with paths relative to it.
func globIn(dir string) func(string) ([]string, error) {
	return func(pattern string) ([]string, error) {
		return doublestar.Glob(os.DirFS(dir), filepath.ToSlash(filepath.Clean(pattern)), doublestar.WithFilesOnly())
	}
}

func within(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}
