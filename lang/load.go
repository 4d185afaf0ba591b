package lang

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/order"
	"github.com/tafc/tafc/stdlib/funcs"
)

// Options are what an analysis sees besides its text. The zero value is useful.
type Options struct {
	// Variables are the values from outside, by name.
	Variables map[string]VariableInput
	// Unset makes variables without a value a warning, for checks: what depends on them is left out.
	Unset bool
	// Unused makes warnings of what is declared and used by nothing, and of stages whose results nobody asks for.
	Unused bool

	// Version is that of tafc, for requires_tafc. What is no release, such as dev, satisfies every requirement.
	Version string

	// Engine is the engine that was asked for; empty: the only one of the file, else local.
	Engine string

	// Now is the time that dates count from; zero is the time of Load.
	Now time.Time

	// What the functions file, fileset and env see. Paths are as the file writes them, relative to its folder. A nil field makes
	// its function an error.
	ReadFile  func(path string) ([]byte, error)
	Glob      func(pattern string) ([]string, error)
	LookupEnv func(name string) (string, bool)
}

// loader is one Load.
type loader struct {
	src       []byte
	schema    *BlockSchema
	options   Options
	scope     scope
	with      iterations // around the expression that is being evaluated
	made      int        // blocks that elements of for_each have made
	full      bool       // they are too many
	vars      []*variable
	implied   map[ref][]ref // references that were left out, from whom to what
	broken    map[ref]bool  // declared, but not usable; what refers to them says nothing more
	functions map[string]function.Function

	userFunctions map[string]*userFunction
	calls         int // of them

	root     *block
	present  map[string]bool     // types of the top-level blocks, the broken ones and those that were missed already too
	here     hcl.Range           // the term that is being read
	instead  []Condition         // what may be meant in the place of that term, when it is an error
	dims     map[string][]string // dimensions by index, where the file tells
	dates    map[string]string   // the date dimension by index, where the file tells
	now      time.Time
	analysis *Analysis
	diags    hcl.Diagnostics
}

// Load parses, checks and decodes an analysis. The filename is used in ranges as it is given. The Analysis is never nil, but
// it is complete only when there are no errors.
func Load(filename string, src []byte, options Options) (*Analysis, hcl.Diagnostics) {
	l, diags := load(filename, src, options)
	return l.analysis, diags
}

func load(filename string, src []byte, options Options) (*loader, hcl.Diagnostics) {
	now := clock(options)
	l := &loader{
		src: src, schema: Schema(), options: options,
		scope:   scope{values: map[string]*value{}, blocks: map[ref]*block{}},
		implied: map[ref][]ref{}, broken: map[ref]bool{}, present: map[string]bool{}, userFunctions: map[string]*userFunction{},
		dims: map[string][]string{}, dates: map[string]string{}, now: now(),
		functions: funcs.Table(funcs.World{
			ReadFile: options.ReadFile, Glob: options.Glob, LookupEnv: options.LookupEnv, Now: now,
		}),
		analysis: &Analysis{
			Name: stem(filename), Filename: filename, Dir: filepath.Dir(filename), Files: map[string]*hcl.File{},
		},
	}
	l.analysis.Today = order.Day(l.now).Format(order.DateForm)
	for name, f := range conditionFunctions() {
		l.functions[name] = f
	}
	start := hcl.Range{Filename: filename, Start: hcl.InitialPos, End: hcl.InitialPos}
	body, complete, diags := parse(filename, src, l.schema)
	l.addAll(diags)
	l.analysis.Files[filename] = &hcl.File{Body: body, Bytes: src}
	if !l.versionFits(body) {
		return l, diag.Sort(inside(l.diags, filename, src))
	}
	if complete {
		l.outline(body, start)
		l.decode()
		if options.Unused {
			l.unused(body)
		}
	}
	return l, diag.Sort(inside(l.diags, filename, src))
}

// clock is the time that an analysis sees, the same all the time.
func clock(options Options) func() time.Time {
	now := options.Now
	if now.IsZero() {
		now = time.Now()
	}
	return func() time.Time { return now }
}

func (l *loader) add(d *hcl.Diagnostic) { l.diags = append(l.diags, d) }

func (l *loader) addAll(diags hcl.Diagnostics) { l.diags = append(l.diags, diags...) }

// stem is the name of an analysis that does not name itself.
func stem(filename string) string {
	base := filepath.Base(filename)
	for _, ext := range []string{".json", ".hcl", ".taf"} {
		base = strings.TrimSuffix(base, ext)
	}
	return cleanName(base)
}

// declare makes everything that has a name known, so that the order in the file does not matter.
func (l *loader) declare(blocks []*block) {
	for _, b := range blocks {
		switch b.Type {
		case "variable":
			l.declareValue(&value{addr: "var." + b.Name, rng: b.DeclRange})
			l.declareBlock(b)
		case "locals":
			for _, a := range b.attrs {
				l.declareValue(&value{addr: "local." + a.Name, rng: a.NameRange, expr: a.Expr})
			}
		case "function":
			l.declareFunction(b)
		case "index", "filter", "image", "map", "reduce", "output", "engine", "test":
			l.declareBlock(b)
		}
	}
}

func (l *loader) declareValue(x *value) {
	if prior := l.scope.values[x.addr]; prior == nil {
		l.scope.values[x.addr] = x
	} else if kind, name, _ := strings.Cut(x.addr, "."); kind == "local" {
		l.duplicate("local", name, x.rng, prior.rng, "")
	}
}

func (l *loader) declareBlock(b *block) {
	r := ref{b.Type, b.Name}
	prior := l.scope.blocks[r]
	l.severalOf(b)
	if prior == nil {
		l.scope.blocks[r] = b
		return
	}
	fix := ""
	if b.Name == DefaultName && b.schema.Label == OptionalLabel {
		fix = fmt.Sprintf(" Without a name it is called %q, so only one can go without: write %s \"NAME\".", DefaultName, b.Type)
	}
	l.duplicate(b.Type, b.Name, b.DeclRange, prior.DeclRange, fix)
}

func (l *loader) duplicate(what, name string, rng, prior hcl.Range, fix string) {
	if fix == "" {
		fix = " Rename or remove one of them."
	}
	l.add(diag.Error("lang/duplicate-name", "Duplicate name",
		fmt.Sprintf("There is already %s named %q.%s", withArticle(what), name, fix), rng,
		diag.WithRelated("first declared here", prior)))
}

// each calls fn for every block of a type that is the first of its name.
func (l *loader) each(typ string, fn func(*block)) {
	for _, b := range l.root.blocks {
		if b.Type == typ && (l.scope.blocks[ref{typ, b.Name}] == b || l.scope.blocks[ref{typ, b.Name}] == nil) {
			fn(b)
		}
	}
}

// decode reads all blocks into the Analysis.
func (l *loader) decode() {
	l.variables()
	for _, b := range l.root.blocks {
		if b.Type == "locals" {
			for _, a := range b.attrs {
				if x := l.scope.values["local."+a.Name]; x.state == untouched && x.expr == hcl.Expression(a.Expr) {
					l.force(x)
				}
			}
		}
	}
	if b := l.root.child("analysis"); b != nil {
		l.header(b)
	}
	l.each("index", func(b *block) { l.analysis.Indexes = append(l.analysis.Indexes, l.index(b)) })
	l.each("filter", func(b *block) { l.analysis.Filters = append(l.analysis.Filters, l.filter(b)) })
	l.each("image", func(b *block) { l.analysis.Images = append(l.analysis.Images, l.image(b)) })
	l.engines()
	l.stages()
	l.outputs()
	l.each("notify", func(b *block) { l.analysis.Notify = append(l.analysis.Notify, l.notify(b)) })
	l.forTaskcluster()
	l.each("test", func(b *block) { l.analysis.Tests = append(l.analysis.Tests, l.test(b)) })
	l.complete()
}

// complete reports that the file has nothing to run, or nobody who wants the result.
func (l *loader) complete() {
	if !l.present["map"] {
		l.add(diag.Error("lang/no-map", "No map",
			"The analysis has no map, so nothing would run. Add one: map \"NAME\" { code = \"mapper.py\" }.", l.root.DeclRange))
	}
	if !l.present["output"] {
		l.add(diag.Error("lang/no-output", "No output",
			"The analysis has no output, so nobody would get its result. Add one: output \"NAME\" { value = reduce.NAME }.", l.root.DeclRange))
	}
}

func (l *loader) header(b *block) {
	if b.Name != "" {
		l.analysis.Name = b.Name
	}
	l.analysis.Description, _, _ = l.text(b, "description")
	l.analysis.Owner, _, _ = l.text(b, "owner")
	l.analysis.Source, _, _ = l.text(b, "source")
}

// stageAddr is the address of the stage that a reference names.
func stageAddr(r ref) addr.Stage { return addr.Stage{Kind: r.kind, Name: r.name} }

// inside moves ranges that reach beyond the file into it: the parser's do at the end of the file.
func inside(diags hcl.Diagnostics, filename string, src []byte) hcl.Diagnostics {
	for _, d := range diags {
		if d.Subject != nil && d.Subject.Filename == filename && d.Subject.End.Byte > len(src) {
			moved := *d.Subject
			end := endPos(src)
			if moved.Start.Byte > len(src) {
				moved.Start = end
			}
			moved.End = end
			d.Subject = &moved
		}
		d.Context, d.Expression, d.EvalContext = nil, nil, nil // Reports find the context themselves
		if isJSON(filename) && d.Subject != nil && d.Subject.Filename == filename {
			d.Detail = inJSON(d.Detail)
		}
	}
	return diags
}

func endPos(src []byte) hcl.Pos {
	whole := func(data []byte, _ bool) (int, []byte, error) { return len(data), data, nil }
	if s := hcl.NewRangeScanner(src, "", whole); len(src) > 0 && s.Scan() {
		return s.Range().End
	}
	return hcl.InitialPos
}
