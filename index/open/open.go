package open

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/dir"
	"github.com/tafc/tafc/index/s3"
	"github.com/tafc/tafc/index/sqlite"
	"github.com/tafc/tafc/internal/s3client"
)

// Options say more about a source than its text does.
type Options struct {
	Table   string // sqlite only: the table, when it is not one that tafc index build made
	BaseDir string // what a relative path is relative to; empty: the working directory
	S3      s3client.Config
}

// SchemeError says that there is no source of this kind.
type SchemeError struct {
	Spec   string
	Scheme string // empty when the text has none
	Later  bool   // the language knows it, this version of tafc does not build it
	Hint   string // what to write instead
}

func (e *SchemeError) Error() string {
	switch {
	case e.Later:
		return fmt.Sprintf("index source %q: %s sources are not built into this version of tafc; %s", e.Spec, e.Scheme, e.Hint)
	case e.Scheme == "":
		return fmt.Sprintf("index source %q does not say what kind of source it is; %s", e.Spec, e.Hint)
	}
	return fmt.Sprintf("index source %q: there is no kind of source %q; %s", e.Spec, e.Scheme, e.Hint)
}

const usage = "write dir:PATH for a folder, sqlite:PATH for an index file or s3://BUCKET/FOLDER for a bucket"

// Open opens the source that spec names. Nothing is listed yet. An unknown kind of source is a *SchemeError.
func Open(spec string, options Options) (index.Source, error) {
	scheme, path, found := strings.Cut(spec, ":")
	if !found {
		return nil, &SchemeError{Spec: spec, Hint: guess(spec)}
	}
	if scheme == "s3" {
		if options.Table != "" {
			return nil, fmt.Errorf("index source %q has no tables; leave table out, it is for sqlite: only", spec)
		}
		return wrap(s3.Open(spec, options.S3))
	}
	if scheme != "dir" && scheme != "sqlite" {
		return nil, unknown(spec, scheme)
	}
	if path == "" {
		return nil, fmt.Errorf("index source %q has no path; %s", spec, usage)
	}
	path = filepath.FromSlash(path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(options.BaseDir, path)
	}
	if scheme == "sqlite" {
		return wrap(sqlite.Open(spec, path, options.Table))
	}
	if options.Table != "" {
		return nil, fmt.Errorf("index source %q has no tables; leave table out, it is for sqlite: only", spec)
	}
	return wrap(dir.Open(spec, path))
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
	if slices.Contains([]string{"postgres", "postgresql", "service", "inventory"}, scheme) {
		return &SchemeError{Spec: spec, Scheme: scheme, Later: true, Hint: usage}
	}
	hint := usage
	for _, known := range []string{"dir", "sqlite", "s3"} {
		if levenshtein.Distance(strings.ToLower(scheme), known, nil) <= 2 {
			hint = "did you mean " + known + ":" + strings.TrimPrefix(spec, scheme+":") + "?"
		}
	}
	return &SchemeError{Spec: spec, Scheme: scheme, Hint: hint}
}
