package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"
)

// starter holds what tafc init writes: a folder for each language, and data for all.
//
//go:embed starter
var starter embed.FS

func (a *app) initVerb() *cobra.Command {
	var language string
	c := &cobra.Command{
		Use:     "init [DIR]",
		Short:   "Write a working analysis with sample data",
		Example: "  tafc init os-count\n  tafc init -lang javascript os-count",
		Args:    positional(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if language != "python" && language != "javascript" {
				return usageError("-lang %s is not known: python or javascript", language)
			}
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			files, err := starterFiles(language)
			if err != nil {
				return err
			}
			if err := writeStarter(dir, files); err != nil {
				return err
			}
			if dir == "." {
				fmt.Fprintf(a.streams.Out, "Wrote %d files here. Now:\n", len(files))
			} else {
				fmt.Fprintf(a.streams.Out, "Wrote %d files to %s. Now:\n  cd %s\n", len(files), dir, dir)
			}
			fmt.Fprint(a.streams.Out, "  tafc test    # try the code on a few records\n  tafc plan    # what would run, and why\n  tafc run     # run it\n")
			return nil
		},
	}
	c.Flags().StringVar(&language, "lang", "python", "language of the map and reduce code: python or javascript")
	return c
}

// starterFiles are the files of one language by their path in the new folder.
func starterFiles(language string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for from, to := range map[string]string{"starter/" + language: ".", "starter/data": "data"} {
		err := fs.WalkDir(starter, from, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := starter.ReadFile(name)
			files[path.Join(to, name[len(from):])] = text
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	files[".gitignore"] = []byte(".taf/\nresults/\n")
	return files, nil
}

// writeStarter writes the files unless one of them is there already: nothing of the user's is overwritten.
func writeStarter(dir string, files map[string][]byte) error {
	for name := range files {
		if name == ".gitignore" {
			continue
		}
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already; tafc init writes only into a folder without these files: name a new one", filepath.Join(dir, name))
		}
	}
	for name, text := range files {
		to := filepath.Join(dir, name)
		if _, err := os.Lstat(to); err == nil {
			continue // a .gitignore of the user's
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(to, text, 0o666); err != nil {
			return err
		}
	}
	return nil
}
