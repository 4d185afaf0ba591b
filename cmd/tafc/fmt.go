package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/tafc/tafc/internal/atomicfile"
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
			for _, arg := range args {
				if err := f.format(arg); err != nil {
					return err
				}
			}
			if check && f.changed > 0 {
				return &exit{code: exitFailed}
			}
			return nil
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
}

func (f *formatter) format(arg string) error {
	if arg == "-" {
		src, err := io.ReadAll(f.app.streams.In)
		if err != nil {
			return fmt.Errorf("read standard input: %w", err)
		}
		return f.source("<stdin>", src, func(out []byte) error {
			_, err := f.app.streams.Out.Write(out)
			return err
		})
	}
	info, err := os.Stat(arg)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return f.file(arg, info.Mode())
	}
	return filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != arg && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".taf.hcl"):
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return f.file(path, info.Mode())
	})
}

func (f *formatter) file(path string, mode fs.FileMode) error {
	src, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return f.source(path, src, func(out []byte) error {
		if bytes.Equal(src, out) {
			return nil
		}
		return atomicfile.WriteBytes(path, out, mode.Perm())
	})
}

func (f *formatter) source(name string, src []byte, write func([]byte) error) error {
	// A file that does not parse is left as it is: the formatter cannot know what was meant.
	if _, diags := lang.Parse(name, src); diags.HasErrors() {
		return f.app.report(diags, map[string][]byte{name: src})
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
