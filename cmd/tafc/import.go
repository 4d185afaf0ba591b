package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/document"
	"github.com/tafc/tafc/index/open"
	"github.com/tafc/tafc/internal/atomicfile"
	"github.com/tafc/tafc/internal/importer"
	"github.com/tafc/tafc/lang"
)

// importing turns a Filter.json into an analysis.
type importing struct {
	*app
	file   string // - is standard input
	out    string // empty: standard output
	source string
	layout string
	code   []string
	block  bool
}

func (a *app) importVerb() *cobra.Command {
	im := importing{app: a}
	c := &cobra.Command{
		Use:   "import FILTER.json",
		Short: "Turn a Filter.json of 2014 into an analysis",
		Long: "The analysis selects the files that the index service of 2014 would have selected. Forms that matched everything or nothing in silence are errors; " +
			"a warning says where the old job.py would have selected other files. - is standard input.",
		Example: "  tafc import Filter.json -index sqlite:index.db -code mapper.py -o nightly.taf.hcl\n  tafc import -block - < Filter.json",
		Args:    positional(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			im.file = args[0]
			return im.run(c.Context())
		},
	}
	f := c.Flags()
	f.StringVarP(&im.out, "out", "o", "", "file to write, which must not be there yet (default: standard output)")
	f.StringVar(&im.source, "index", "", "index that the filter is for: its dimensions and values are compared with the conditions")
	f.StringVar(&im.layout, "layout", "", "how keys are built (default: what the index says, else found from the names of the dimensions)")
	f.Var((*repeated)(&im.code), "code", "file with the map function, and with the reduce function if it has one; a second -code names that of the reduce")
	f.BoolVar(&im.block, "block", false, "write only the filter block")
	return c
}

func (im *importing) run(ctx context.Context) error {
	if len(im.code) > 2 {
		return usageError("-code is for the map and for the reduce: at most two")
	}
	if im.layout != "" {
		if _, err := index.ParseLayout(im.layout); err != nil {
			return usageError("-layout: %w", err)
		}
	}
	if im.out != "" {
		if _, err := os.Lstat(im.out); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already; tafc import overwrites nothing: choose another -o, or remove it", im.out)
		}
	}
	name, src, err := im.read()
	if err != nil {
		return err
	}
	filter, err := im.filter(ctx, name, src)
	if err != nil {
		return err
	}
	text := importer.Filter(filter.Filter)
	if !im.block {
		if text, err = im.analysis(name, filter); err != nil {
			return err
		}
	}
	if im.out == "" {
		_, err := im.streams.Out.Write(text)
		return err
	}
	return atomicfile.WriteBytes(im.out, text, 0o666)
}

func (im *importing) read() (name string, src []byte, err error) {
	if im.file == "-" {
		src, err = io.ReadAll(im.streams.In)
		if err != nil {
			return "", nil, fmt.Errorf("read standard input: %w", err)
		}
		return "<stdin>", src, nil
	}
	src, err = os.ReadFile(im.file)
	return im.file, src, err
}

// filter reads the document and reports everything about it. With an index that is what a plan would say.
func (im *importing) filter(ctx context.Context, name string, src []byte) (*document.Filter, error) {
	if im.source == "" {
		filter, notices := document.Parse(name, src, nil)
		if im.layout == "" && filter != nil {
			im.layout = guessLayout(filter.Filter)
		}
		if layout, err := index.ParseLayout(im.layout); err == nil {
			filter, notices = document.Parse(name, src, layout.Dimensions())
		}
		return filter, im.report(compile.Notices(notices), map[string][]byte{name: src})
	}
	a := &lang.Analysis{
		Filename: name,
		// No file is read through the root.
		Indexes: []*lang.Index{{Block: lang.Block{Name: "index"}, Source: im.source, Layout: im.layout, Root: "file:///"}},
		Filters: []*lang.Filter{{Block: lang.Block{Name: "filter"}, Index: "index", Document: filepath.Base(name)}},
	}
	sel, diags, sources := compile.Query(ctx, a, compile.World{
		FS: oneFile(src),
		OpenIndex: func(ix *lang.Index) (index.Source, error) {
			return open.Open(ctx, ix.Source, open.Options{Layout: ix.Layout})
		},
	}, "filter")
	if err := im.report(diags, sources); err != nil {
		return nil, err
	}
	filter, _ := document.Parse(name, src, sel.Files.Dimensions())
	return filter, nil
}

// guessLayout is the built-in layout that has all dimensions of a filter, or empty.
func guessLayout(f index.Filter) string {
	for _, name := range index.LayoutNames() {
		dims, err := lang.LayoutDimensions(name)
		if err == nil && !slices.ContainsFunc(f.Where, func(t index.Term) bool { return !slices.Contains(dims, t.Dimension) }) {
			return name
		}
	}
	return ""
}

// analysis is the whole file. It is checked as validate would, so that what is written is valid.
func (im *importing) analysis(name string, filter *document.Filter) ([]byte, error) {
	dir := filepath.Dir(im.out)
	o := importer.Options{From: name, Source: im.source, Layout: im.layout}
	if scheme, path, ok := strings.Cut(im.source, ":"); ok && (scheme == "dir" || scheme == "sqlite" || scheme == "inventory") {
		o.Source = scheme + ":" + relative(dir, path)
	}
	for i, code := range im.code {
		path := relative(dir, code)
		if i == 0 {
			o.Map = path
			if b, _ := bundle.Collect(os.DirFS(dir), []string{path}); b == nil || b.Functions["reduce"] == (bundle.Function{}) {
				continue
			}
		}
		o.Reduce = path
	}
	text := importer.Analysis(filter.Filter, o)
	file := filepath.Join(dir, "imported.taf.hcl")
	if im.out != "" {
		file = im.out
	}
	a, diags := lang.Load(file, text, lang.Options{ReadFile: readFrom(dir), Glob: globIn(dir), LookupEnv: os.LookupEnv})
	sources := map[string][]byte{file: text}
	if !diags.HasErrors() {
		checked := compile.Check(a, compile.World{FS: os.DirFS(dir)})
		diags = append(diags, checked.Diags...)
		for name, text := range checked.Sources {
			sources[name] = text
		}
	}
	return text, im.report(diags, sources)
}

// relative is a path of the working directory as one of dir, with slashes.
func relative(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.ToSlash(path)
	}
	base, err := filepath.Abs(dir)
	if err != nil {
		return filepath.ToSlash(path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.ToSlash(path)
	}
	rel, err := filepath.Rel(base, abs)
	if err != nil {
		return filepath.ToSlash(abs)
	}
	return filepath.ToSlash(rel)
}

// oneFile is a file system in which every name is the same file.
type oneFile []byte

// ReadFile returns the file.
func (f oneFile) ReadFile(string) ([]byte, error) { return f, nil }

// Open is never called: only documents are read.
func (f oneFile) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
