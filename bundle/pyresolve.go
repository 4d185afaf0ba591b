package bundle

import (
	"path"
	"slices"
	"strings"

	"github.com/tafc/tafc/internal/diag"
)

// followPython ships the modules that a file imports from the entry's folder.
func (c *collector) followPython(file string, imports []pythonImport) {
	for _, imp := range imports {
		switch {
		case imp.dots > 0:
			c.followRelative(file, imp)
		case c.addModule(c.root, strings.Split(imp.module, ".")):
			base := path.Join(c.root, strings.ReplaceAll(imp.module, ".", "/"))
			missing := c.addMembers(base, imp.names)
			if len(missing) > 0 && !imp.guarded && !c.isFile(base+".py") && !c.isFile(path.Join(base, "__init__.py")) && c.holdsPython(base) {
				c.problem("bundle/missing-import", file, imp.line, "Import of a module that is not there",
					"`from %s import %s` needs %s.py or a package %[3]s/.%s", imp.module, missing[0], path.Join(base, missing[0]),
					diag.DidYouMean(missing[0], c.modules(base)))
			}
		case !imp.guarded:
			c.absent(file, imp)
		}
	}
}

// absent looks at an import of what is not in the folder: a part of a package that is there, a slip, or a library.
func (c *collector) absent(file string, imp pythonImport) {
	top, rest, _ := strings.Cut(imp.module, ".")
	base := path.Join(c.root, top)
	if rest != "" && (c.isFile(base+".py") || c.holdsPython(base)) {
		missing := path.Join(c.root, strings.ReplaceAll(imp.module, ".", "/"))
		c.problem("bundle/missing-import", file, imp.line, "Import of a module that is not there",
			"%q is a module of this folder, but %q needs %s.py or a package %[3]s/.%s", top, imp.module, missing,
			diag.DidYouMean(path.Base(missing), c.modules(path.Dir(missing))))
		return
	}
	if standardPython()[top] {
		return
	}
	if meant := diag.Suggest(top, c.modules(c.root)); meant != "" {
		c.warn("bundle/missing-import", file, imp.line, "Import of a module that is not there",
			"There is no %s.py beside the code. Did you mean %q? If it is a library, it must be installed where the code runs.", top, meant)
		return
	}
	for i := range c.sources {
		if c.sources[i].Path == file {
			c.sources[i].Libraries = append(c.sources[i].Libraries, Library{Name: top, Line: imp.line})
		}
	}
}

// holdsPython tells whether a folder is a package of the user's and not one of data.
func (c *collector) holdsPython(dir string) bool {
	return slices.ContainsFunc(c.list(dir), func(name string) bool { return path.Ext(name) == ".py" })
}

// modules are the names of the modules in a folder.
func (c *collector) modules(dir string) []string {
	var names []string
	for _, name := range c.list(dir) {
		base := path.Base(name)
		if stem, ok := strings.CutSuffix(base, ".py"); ok {
			names = append(names, stem)
		} else if !strings.Contains(base, ".") && c.holdsPython(name) {
			names = append(names, base)
		}
	}
	return names
}

// followRelative ships what from .module import names needs. It must be there, unless the import is guarded.
func (c *collector) followRelative(file string, imp pythonImport) {
	written := strings.Repeat(".", imp.dots) + imp.module
	dir := path.Dir(file)
	for range imp.dots - 1 {
		if dir == "." {
			if !imp.guarded {
				c.problem("bundle/outside", file, imp.line, "Import from outside the analysis' folder",
					"`from %s import …` leaves the folder of the analysis. Only what is inside is shipped: move the module into it, or put it into the image.", written)
			}
			return
		}
		dir = path.Dir(dir)
	}
	if imp.module != "" && !c.addModule(dir, strings.Split(imp.module, ".")) {
		if !imp.guarded {
			missing := path.Join(dir, strings.ReplaceAll(imp.module, ".", "/"))
			c.problem("bundle/missing-import", file, imp.line, "Import of a module that is not there",
				"`from %s import …` needs %s.py or a package %[2]s/.%s", written, missing, diag.DidYouMean(path.Base(missing), c.modules(path.Dir(missing))))
		}
		return
	}
	base := path.Join(dir, strings.ReplaceAll(imp.module, ".", "/"))
	missing := c.addMembers(base, imp.names)
	isModule := c.isFile(path.Join(base, "__init__.py")) || imp.module != "" && c.isFile(base+".py")
	if len(missing) == 0 || imp.guarded || isModule {
		return // the names may be attributes of the module
	}
	c.problem("bundle/missing-import", file, imp.line, "Import of a module that is not there",
		"`from %s import %s` needs %s.py or a package %[3]s/.", written, missing[0], path.Join(base, missing[0]))
}

// addModule ships the module and the packages that lead to it. It tells whether there is such a module; a folder without
// __init__.py is one too, of which only what is imported is shipped.
func (c *collector) addModule(dir string, parts []string) bool {
	for i, part := range parts {
		base := path.Join(dir, part)
		init := path.Join(base, "__init__.py")
		last := i == len(parts)-1
		switch {
		case c.isFile(init):
			c.add(init)
		case c.isFile(base + ".py"):
			c.add(base + ".py")
			return last
		case !c.isDir(base):
			return false
		}
		dir = base
	}
	return true
}

// addMembers ships those of the names that are modules of the package at base, and returns the others.
func (c *collector) addMembers(base string, names []string) (missing []string) {
	for _, n := range names {
		switch {
		case n == "*":
			// What a star takes depends on __all__: ship the modules of the package.
			c.addPackageModules(base)
		case !c.addModule(base, []string{n}):
			missing = append(missing, n)
		}
	}
	return missing
}

func (c *collector) addPackageModules(base string) {
	if !c.isFile(path.Join(base, "__init__.py")) {
		return
	}
	for _, name := range c.list(base) {
		if path.Ext(name) == ".py" && c.isFile(name) {
			c.add(name)
		}
	}
}

// importedFunctions adds what the entry takes by name from a shipped module: from .common import reduce.
func (c *collector) importedFunctions(functions map[string]Function, entry string, imports []pythonImport) {
	for _, imp := range imports {
		dir := c.root
		for i := range imp.dots {
			if i > 0 {
				dir = path.Dir(dir)
			}
		}
		base := path.Join(dir, strings.ReplaceAll(imp.module, ".", "/"))
		f := c.files[path.Join(base, "__init__.py")]
		if f == nil {
			f = c.files[base+".py"]
		}
		if f == nil || f.Path == entry {
			continue
		}
		there := pythonFunctions(lexPython(f.Data))
		for as, n := range imp.aliases {
			_, known := functions[as]
			if fn, ok := there[n]; ok && !known {
				fn.Line = imp.line
				functions[as] = fn
			}
		}
	}
}
