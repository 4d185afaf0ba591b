package open

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/dir"
	"github.com/tafc/tafc/index/inventory"
	"github.com/tafc/tafc/index/postgres"
	"github.com/tafc/tafc/index/s3"
	"github.com/tafc/tafc/index/service"
	"github.com/tafc/tafc/index/sqlite"
	"github.com/tafc/tafc/internal/redact"
	"github.com/tafc/tafc/internal/s3client"
)

// Options say more about a source than its text does.
type Options struct {
	Table   string            // of a database, when it is not one that tafc index build made
	Columns map[string]string // of that table (package columns)
	Layout  string            // that the analysis names, or empty
	BaseDir string            // what a relative path is relative to; empty: the working directory
	S3      s3client.Config
}

// SchemeError says that there is no source of this kind.
type SchemeError struct {
	Spec   string // without a password
	Scheme string // empty when the text has none
	Hint   string // what to write instead
}

func (e *SchemeError) Error() string {
	if e.Scheme == "" {
		return fmt.Sprintf("index source %q does not say what kind of source it is; %s", e.Spec, e.Hint)
	}
	return fmt.Sprintf("index source %q: there is no kind of source %q; %s", e.Spec, e.Scheme, e.Hint)
}

const usage = "write dir:PATH for a folder, sqlite:PATH for an index file, postgres://HOST/DATABASE for a database, s3://BUCKET/FOLDER for a bucket, service:https://HOST/files for an index service, or inventory:PATH for an S3 Inventory"

// kind is a kind of source.
type kind struct {
	schemes []string
	tables  bool // it is a database
	open    func(ctx context.Context, spec, rest string, o Options) (index.Source, error)
}

var kinds = []kind{
	{schemes: []string{"dir"}, open: func(_ context.Context, spec, rest string, o Options) (index.Source, error) {
		return wrap(dir.Open(spec, o.path(rest)))
	}},
	{schemes: []string{"sqlite"}, tables: true, open: func(_ context.Context, spec, rest string, o Options) (index.Source, error) {
		return wrap(sqlite.OpenTable(spec, o.path(rest), sqlite.Table{Name: o.Table, Columns: o.Columns, Layout: o.Layout}))
	}},
	{schemes: []string{"inventory"}, open: func(ctx context.Context, spec, rest string, o Options) (index.Source, error) {
		if !strings.HasPrefix(rest, "s3://") {
			rest = o.path(rest)
		}
		return wrap(inventory.Open(ctx, spec, rest, o.S3))
	}},
	{schemes: []string{"service"}, open: func(_ context.Context, spec, rest string, _ Options) (index.Source, error) {
		return wrap(service.Open(spec, rest))
	}},
	{schemes: []string{"s3"}, open: func(_ context.Context, spec, _ string, o Options) (index.Source, error) {
		return wrap(s3.Open(spec, o.S3))
	}},
	{schemes: []string{"postgres", "postgresql"}, tables: true, open: func(ctx context.Context, spec, _ string, o Options) (index.Source, error) {
		return wrap(postgres.Open(ctx, spec, postgres.Options{Table: o.Table, Columns: o.Columns, Layout: o.Layout}))
	}},
	{schemes: []string{"service"}, open: func(_ context.Context, spec, rest string, _ Options) (index.Source, error) {
		return wrap(service.Open(spec, rest))
	}},
}

// Open opens the source that spec names. Nothing is listed yet. An unknown kind of source is a *SchemeError.
func Open(ctx context.Context, spec string, o Options) (index.Source, error) {
	scheme, rest, found := strings.Cut(spec, ":")
	if !found {
		return nil, &SchemeError{Spec: spec, Hint: guess(spec)}
	}
	clean := redact.URLs(spec)
	i := slices.IndexFunc(kinds, func(k kind) bool { return slices.Contains(k.schemes, scheme) })
	switch {
	case i < 0:
		return nil, unknown(clean, scheme)
	case rest == "":
		return nil, fmt.Errorf("index source %q has no path; %s", clean, usage)
	case !kinds[i].tables && o.Table != "":
		return nil, fmt.Errorf("index source %q has no tables; leave table out, it is for databases only", clean)
	case !kinds[i].tables && len(o.Columns) > 0:
		return nil, fmt.Errorf("index source %q has no columns; leave columns out, it is for databases only", clean)
	}
	return kinds[i].open(ctx, spec, rest, o)
}

// path is an absolute path.
func (o Options) path(path string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(o.BaseDir, path)
}

// wrap keeps a nil pointer from becoming an interface that is not nil.
func wrap[S index.Source](source S, err error) (index.Source, error) {
	if err != nil {
		return nil, err
	}
	return source, nil
}

func guess(path string) string {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".db", ".sqlite", ".sqlite3":
		return "write sqlite:" + path
	}
	if path == "" {
		return usage
	}
	return "write dir:" + path
}

func unknown(spec, scheme string) error {
	if scheme == "http" || scheme == "https" {
		return &SchemeError{Spec: spec, Scheme: scheme, Hint: "write service:" + spec + " for an index service"}
	}
	hint := usage
	for _, k := range kinds {
		for _, known := range k.schemes {
			if levenshtein.Distance(strings.ToLower(scheme), known, nil) <= 2 {
				hint = "did you mean " + known + ":" + strings.TrimPrefix(spec, scheme+":") + "?"
			}
		}
	}
	return &SchemeError{Spec: spec, Scheme: scheme, Hint: hint}
}
