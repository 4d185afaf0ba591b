package bundle

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Collect gathers the code of a stage from the analysis' folder. code[0] is the entry file; the further elements are files,
// folders or globs (** for any depth) that are shipped too. What Python and JavaScript files import from their own folder is
// followed. The Bundle is nil when a Problem is more than a warning. Problems are sorted by place.
func Collect(fsys fs.FS, code []string) (*Bundle, []Problem) {
	i := Inspect(fsys, code)
	if slices.ContainsFunc(i.Problems, func(p Problem) bool { return !p.Warning }) {
		return nil, i.Problems
	}
	return i.Bundle, i.Problems
}

// Inspection is what Inspect finds out about the code of a stage.
type Inspection struct {
	Bundle *Bundle // what could be collected, in spite of problems; nil without an entry
	// Sources are the files in Python and JavaScript that the entry leads to, the entry first. What is only listed is not among them:
	// it may be anything.
	Sources  []Source
	Problems []Problem // sorted by place
}

// Inspect is Collect for those who look for more problems.
func Inspect(fsys fs.FS, code []string) Inspection {
	c := &collector{fs: fsys, files: map[string]*File{}, scanned: map[string]bool{}}
	i := Inspection{Bundle: c.collect(code)}
	slices.SortStableFunc(c.problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), strings.Compare(a.Summary, b.Summary))
	})
	i.Problems = c.problems
	if i.Bundle != nil && i.Bundle.Language != Program {
		i.Sources = c.sources
	}
	return i
}

// collector holds one Collect.
type collector struct {
	fs       fs.FS
	files    map[string]*File // what is shipped, by path
	size     int64
	problems []Problem
	scanned  map[string]bool // whose imports were followed
	root     string          // the folder of the entry file, where Python looks for modules
	quiet    bool            // imports of listed files are followed, but what is missing there is not our business
	sources  []Source        // what the entry leads to
}

func (c *collector) problem(code, name string, line int, summary, detail string, args ...any) {
	if c.quiet && line > 0 {
		return
	}
	c.problems = append(c.problems, Problem{Code: code, Path: name, Line: line, Summary: summary, Detail: fmt.Sprintf(detail, args...)})
}

// warn reports what may be meant.
func (c *collector) warn(code, name string, line int, summary, detail string, args ...any) {
	before := len(c.problems)
	c.problem(code, name, line, summary, detail, args...)
	for i := before; i < len(c.problems); i++ {
		c.problems[i].Warning = true
	}
}

func (c *collector) collect(code []string) *Bundle {
	if len(code) == 0 {
		c.problem("bundle/missing-file", "", 0, "No code", "The list of code files is empty: write the entry file first.")
		return nil
	}
	entry, ok := c.clean(code[0])
	if !ok {
		return nil
	}
	if info, err := c.stat(entry); err == nil && info.IsDir() {
		c.problem("bundle/missing-file", code[0], 0, "The entry is a folder",
			"%q is a folder. The first element of code is the file that holds the functions; list folders after it.", code[0])
		return nil
	}
	if !c.addListed(entry, code[0]) || c.files[entry] == nil {
		return nil
	}
	c.root = path.Dir(entry)
	data := c.files[entry].Data
	lang := language(entry, data)
	c.scan(entry, lang)
	c.quiet = true
	for _, element := range code[1:] {
		c.addElement(element)
	}
	b := &Bundle{Entry: entry, Language: lang}
	switch lang {
	case Python:
		tokens := lexPython(data)
		b.Functions = pythonFunctions(tokens)
		c.importedFunctions(b.Functions, entry, pythonImports(tokens))
	case JavaScript:
		b.Functions = jsFunctions(lexJS(data))
	}
	// A file without a telling name that has a shebang is a script for this contract only if it has its functions.
	if path.Ext(entry) == "" && lang != Program && !anyOf(b.Functions, "map", "mapper", "reduce") {
		b.Language, b.Functions = Program, nil
	}
	if b.Language == Program {
		c.program(c.files[entry])
	}
	names := make([]string, 0, len(c.files))
	for name := range c.files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b.Files = append(b.Files, *c.files[name])
	}
	return b
}

// clean turns a path of the analysis into one inside its folder, or says why it is none.
func (c *collector) clean(name string) (string, bool) {
	slash := strings.ReplaceAll(name, `\`, "/")
	cleaned := path.Clean(slash)
	if name == "" || path.IsAbs(slash) || len(slash) > 1 && slash[1] == ':' || cleaned == ".." || strings.HasPrefix(cleaned, "../") {
		c.problem("bundle/outside", name, 0, "Code outside the analysis' folder",
			"%q is not inside the folder of the analysis file. Code is shipped with paths relative to that folder; move or copy the file into it, or put it into the image.", name)
		return "", false
	}
	return cleaned, true
}

// addElement adds a file, a folder or the files that a glob matches.
func (c *collector) addElement(element string) {
	name, ok := c.clean(element)
	if !ok {
		return
	}
	if _, err := c.stat(name); err == nil || !strings.ContainsAny(name, "*?[{") {
		c.addListed(name, element)
		return
	}
	matches, err := doublestar.Glob(c.fs, name, doublestar.WithFilesOnly())
	if err != nil {
		c.problem("bundle/bad-glob", element, 0, "Not a glob", "%q cannot be read as a glob: %v. Write * for any name, ** for any depth, ? for one character, {a,b} for alternatives.", element, err)
		return
	}
	slices.Sort(matches)
	added := 0
	for _, m := range matches {
		if !ignored(m) && c.addListed(m, m) {
			added++
		}
	}
	if added == 0 && len(c.problems) == 0 {
		c.problem("bundle/missing-file", element, 0, "No file matches", "The glob %q matches no file in the folder of the analysis.", element)
	}
}

// addListed adds a file or a folder that the analysis names.
func (c *collector) addListed(name, written string) bool {
	info, err := c.stat(name)
	switch {
	case err != nil:
		c.unreadable(name, written, err)
		return false
	case info.IsDir():
		return c.addFolder(name, nil)
	}
	return c.add(name)
}

func (c *collector) unreadable(name, written string, err error) {
	switch {
	case isOutside(err):
		c.problem("bundle/outside", written, 0, "Code outside the analysis' folder", "%v. Copy the file into the folder, or put it into the image.", err)
	case isMissing(err) && strings.Contains(written, "://"):
		c.problem("bundle/missing-file", written, 0, "No such file", "Code is a file beside the analysis, and %q is a URL. Copy the file into the folder, or put it into the image.", written)
	case isMissing(err):
		c.problem("bundle/missing-file", written, 0, "No such file", "There is no file %q in the folder of the analysis.", name)
	default:
		c.problem("bundle/unreadable", written, 0, "The file cannot be read", "%v.", err)
	}
}

// addFolder adds the files below a folder. above are the folders that lead to it, links resolved, to notice a loop of links.
func (c *collector) addFolder(name string, above []string) bool {
	real, err := c.resolve(name)
	if err != nil {
		c.unreadable(name, name, err)
		return false
	}
	if slices.Contains(above, real) {
		return true
	}
	entries, err := fs.ReadDir(c.fs, real)
	if err != nil {
		c.unreadable(name, name, err)
		return false
	}
	for _, e := range entries {
		sub := path.Join(name, e.Name())
		if ignored(sub) {
			continue
		}
		info, err := c.stat(sub)
		switch {
		case err != nil:
			c.unreadable(sub, sub, err)
		case info.IsDir():
			c.addFolder(sub, append(above, real))
		case info.Mode().IsRegular():
			c.add(sub)
		}
		if c.size > MaxSize {
			return false
		}
	}
	return true
}

// add ships one file and follows its imports, unless it is shipped already.
func (c *collector) add(name string) bool {
	if c.files[name] == nil {
		info, err := c.stat(name)
		if err != nil {
			c.unreadable(name, name, err)
			return false
		}
		if !info.Mode().IsRegular() {
			c.problem("bundle/unreadable", name, 0, "Not a file", "%q is neither a file nor a folder.", name)
			return false
		}
		if c.size += info.Size(); c.size > MaxSize {
			if c.size-info.Size() <= MaxSize {
				c.problem("bundle/too-large", name, 0, "Too much code",
					"With %q the code is larger than %d MiB. It is shipped with every task: put big files and libraries into the image, or list less.", name, MaxSize>>20)
			}
			return false
		}
		data, err := c.read(name)
		if err != nil {
			c.unreadable(name, name, err)
			return false
		}
		c.files[name] = &File{Path: name, Digest: digest(data), Executable: info.Mode()&0o111 != 0, Data: data}
	}
	if c.root != "" {
		c.scan(name, language(name, c.files[name].Data))
	}
	return true
}

// scan follows the imports of a shipped file.
func (c *collector) scan(name, lang string) {
	if c.scanned[name] {
		return
	}
	c.scanned[name] = true
	if !c.quiet && lang != Program {
		c.sources = append(c.sources, Source{Path: name, Language: lang, Module: lang == JavaScript && c.isModule(name), Data: c.files[name].Data})
	}
	switch lang {
	case Python:
		c.followPython(name, pythonImports(lexPython(c.files[name].Data)))
	case JavaScript:
		c.followJS(name, jsImports(lexJS(c.files[name].Data)))
	}
}

// ignored tells whether a path lies in a folder that holds no code of the user's.
func ignored(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == "__pycache__" || part == ".git" || part == ".taf" {
			return true
		}
	}
	return false
}

// language is told by the extension, else by the interpreter on the first line.
func language(name string, data []byte) string {
	switch path.Ext(name) {
	case ".py":
		return Python
	case ".js", ".mjs", ".cjs":
		return JavaScript
	case "":
		line, _, _ := strings.Cut(string(data[:min(len(data), 200)]), "\n")
		if rest, ok := strings.CutPrefix(line, "#!"); ok {
			for _, word := range strings.Fields(rest) {
				switch base := path.Base(word); {
				case strings.HasPrefix(base, "python"):
					return Python
				case base == "node" || base == "nodejs":
					return JavaScript
				}
			}
		}
	}
	return Program
}

func anyOf(functions map[string]Function, names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { _, ok := functions[n]; return ok })
}
