package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The names of analyses end so.
const (
	nativeSuffix = ".taf.hcl"
	jsonSuffix   = ".taf.json"
)

func isAnalysis(name string) bool {
	return strings.HasSuffix(name, nativeSuffix) || strings.HasSuffix(name, jsonSuffix)
}

// analyses are the files that the arguments mean, each once: a file is itself, a folder stands for the analyses in it and below,
// without folders whose names begin with a dot. Without arguments it is those of the working directory alone. Links to folders are
// not followed. What cannot be read is given to failed with the reason; with an error from there the search ends.
func analyses(args []string, failed func(path string, err error) error) ([]string, error) {
	if len(args) == 0 {
		return analysesHere()
	}
	var files []string
	seen := map[string]bool{}
	add := func(path string) {
		if clean := filepath.Clean(path); !seen[clean] {
			seen[clean] = true
			files = append(files, path)
		}
	}
	for _, arg := range args {
		info, err := os.Stat(arg)
		switch {
		case err != nil:
			if err := failed(arg, err); err != nil {
				return nil, err
			}
			continue
		case !info.IsDir():
			add(arg)
			continue
		}
		before := len(seen)
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return failed(path, err)
			case d.IsDir() && path != arg && strings.HasPrefix(d.Name(), "."):
				return filepath.SkipDir
			case (d.Type().IsRegular() || d.Type()&fs.ModeSymlink != 0) && isAnalysis(d.Name()): // a pipe would never end
				add(path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(seen) == before && len(args) == 1 {
			return nil, usageError("there is no *%s or *%s in %s or below it", nativeSuffix, jsonSuffix, arg)
		}
	}
	return files, nil
}

func analysesHere() ([]string, error) {
	var files []string
	for _, suffix := range []string{nativeSuffix, jsonSuffix} {
		found, err := filepath.Glob("*" + suffix)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, usageError("there is no *%s or *%s in this folder: name a file or a folder, or make an analysis with tafc init", nativeSuffix, jsonSuffix)
	}
	slices.Sort(files)
	return files, nil
}

// repositoryPaths turns names of files into paths with slashes inside of the repository: the workspace of GitHub Actions, else the
// folder above the working directory that has a .git, else the working directory. Names of files outside become absolute.
func repositoryPaths() (func(string) string, error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	top := here
	for dir := here; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			top = dir
			break
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if workspace := os.Getenv("GITHUB_WORKSPACE"); workspace != "" && isBelow(workspace, here) {
		top = workspace
	}
	return func(name string) string {
		if !filepath.IsAbs(name) {
			name = filepath.Join(here, name)
		}
		if rel, err := filepath.Rel(top, name); err == nil && isBelow(top, name) {
			name = rel
		}
		return filepath.ToSlash(name)
	}, nil
}

// isBelow tells whether a path is a folder or lies in it; both are absolute.
func isBelow(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// reason is why a file could not be read, without its name.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
