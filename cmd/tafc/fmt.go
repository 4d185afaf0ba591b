package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/tafc/tafc/internal/atomicfile"
	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/lang"
)

func (a *app) fmtVerb() *cobra.Command {
	var check, showDiff bool
	c := &cobra.Command{
		Use:     "fmt [FILE|DIR]...",
		Short:   "Rewrite analyses in canonical form; - is standard input",
		Example: "  tafc fmt\n  tafc fmt -check -diff .",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			f := formatter{app: a, check: check, diff: showDiff}
			if len(args) == 0 {
				args = []string{"."}
			}
			return f.all(args)
		},
	}
	c.Flags().BoolVar(&check, "check", false, "write nothing; exit with 1 when a file is not in canonical form")
	c.Flags().BoolVar(&showDiff, "diff", false, "write nothing; print what would change")
	return c
}

type formatter struct {
	app         *app
	check, diff bool
	changed     int
	failed      bool
}

// all formats what the arguments mean. A file that cannot be formatted does not keep the others from it.
func (f *formatter) all(args []string) error {
	var named []string
	for _, arg := range args {
		if arg != "-" {
			named = append(named, arg)
		} else if err := f.standardInput(); err != nil {
			return err
		}
	}
	if len(named) > 0 {
		files, err := analyses(named, func(path string, err error) error {
			return f.fail(fmt.Errorf("%s: %s", path, reason(err)))
		})
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := f.file(file, slices.Contains(named, file)); err != nil {
				return err
			}
		}
	}
	if f.failed || f.check && f.changed > 0 {
		return &exit{code: exitFailed}
	}
	return nil
}

// fail reports what does not stop the rest.
func (f *formatter) fail(err error) error {
	view.Error(f.app.streams, err)
	f.failed = true
	return nil
}

func (f *formatter) standardInput() error {
	src, err := io.ReadAll(f.app.streams.In)
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	return f.source("<stdin>", src, func(out []byte) error {
		_, err := f.app.streams.Out.Write(out)
		return err
	})
}

// file formats one file. JSON has no canonical form of ours, which is worth a word only where it was asked for by name.
func (f *formatter) file(path string, named bool) error {
	if strings.HasSuffix(path, jsonSuffix) {
		if named {
			fmt.Fprintf(f.app.streams.Err, "%s is JSON, which tafc fmt leaves as it is.\n", path)
		}
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return f.fail(fmt.Errorf("%s: %s", path, reason(err)))
	}
	src, err := readAnalysis(path)
	if err != nil {
		return f.fail(fmt.Errorf("%s: %s", path, reason(err)))
	}
	return f.source(path, src, func(out []byte) error {
		if bytes.Equal(src, out) {
			return nil
		}
		target, err := filepath.EvalSymlinks(path) // a link stays one
		if err != nil {
			return err
		}
		return atomicfile.WriteBytes(target, out, info.Mode().Perm())
	})
}

func (f *formatter) source(name string, src []byte, write func([]byte) error) error {
	// A file that does not parse is left as it is: the formatter cannot know what was meant.
	if _, diags := lang.Parse(name, src); diags.HasErrors() {
		f.failed = true
		var said *exit
		if err := f.app.report(diags, map[string][]byte{name: src}); !errors.As(err, &said) {
			return err
		}
		return nil
	}
	out := lang.Format(src)
	if !bytes.Equal(src, out) {
		f.changed++
		if !f.diff && (name != "<stdin>" || f.check) {
			fmt.Fprintln(f.app.streams.Out, name)
		}
		if f.diff {
			if _, err := f.app.streams.Out.Write(diff.Diff(name, src, name+" (formatted)", out)); err != nil {
				return err
			}
		}
	}
	if f.check || f.diff {
		return nil
	}
	return write(out)
}
