package bundle

import (
	"encoding/json"
	"path"
	"strings"

	"github.com/tafc/tafc/internal/diag"
)

// followJS ships the modules that a file loads by a relative path, and the package.json that says what kind of module it is.
func (c *collector) followJS(file string, imports []jsImport) {
	if pkg := c.packageOf(file); pkg != "" {
		c.add(pkg)
	}
	for _, imp := range imports {
		relative := imp.module == "." || imp.module == ".." || strings.HasPrefix(imp.module, "./") || strings.HasPrefix(imp.module, "../")
		if !relative && !path.IsAbs(imp.module) {
			c.library(file, imp)
			continue
		}
		// ESM paths are URLs: what follows ? or # is not part of the file name.
		written, _, _ := strings.Cut(imp.module, "?")
		target := path.Join(path.Dir(file), written)
		if path.IsAbs(imp.module) || target == ".." || strings.HasPrefix(target, "../") {
			if !imp.guarded {
				c.problem("bundle/outside", file, imp.line, "Import from outside the analysis' folder",
					"%q leaves the folder of the analysis. Only what is inside is shipped: move the module into it, or put it into the image.", imp.module)
			}
			continue
		}
		if found := c.jsModule(target, strings.HasSuffix(written, "/")); found != "" {
			c.add(found)
			continue
		}
		if !imp.guarded {
			c.problem("bundle/missing-import", file, imp.line, "Import of a module that is not there",
				"%q needs a file %s, the same with .js, .json, .mjs or .cjs, or a folder of that name with an index.js.%s", imp.module, target, c.similar(target))
		}
	}
}

// packageOf is the package.json that speaks for a file, empty when there is none.
func (c *collector) packageOf(file string) string {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if pkg := path.Join(dir, "package.json"); c.isFile(pkg) {
			return pkg
		}
		if dir == "." {
			return ""
		}
	}
}

// isModule tells whether a .js file is an ES module because its package.json says so.
func (c *collector) isModule(file string) bool {
	var about struct{ Type string }
	data, err := c.read(c.packageOf(file))
	return err == nil && json.Unmarshal(data, &about) == nil && about.Type == "module"
}

// library looks at a module that is named without a path: Node's own, a library, or a file of the folder whose path was forgotten.
func (c *collector) library(file string, imp jsImport) {
	target := path.Join(path.Dir(file), imp.module)
	if imp.guarded || standardNode()[strings.TrimPrefix(imp.module, "node:")] || !inside(target) {
		return
	}
	if found := c.localFile(target); found != "" {
		c.warn("bundle/missing-import", file, imp.line, "Import of a module that is not there",
			"%q is looked for among libraries, but there is a file %s. Did you mean %q?", imp.module, found, "./"+imp.module)
	}
}

// similar is a sentence with a file beside the one that is not there, or empty.
func (c *collector) similar(target string) string {
	var names []string
	for _, name := range c.list(path.Dir(target)) {
		names = append(names, path.Base(name), strings.TrimSuffix(path.Base(name), path.Ext(name)))
	}
	return diag.DidYouMean(path.Base(target), names)
}

// localFile is the file of the folder that an import without ./ probably means.
func (c *collector) localFile(target string) string {
	for _, ext := range append([]string{""}, jsExtensions...) {
		if c.isFile(target + ext) {
			return target + ext
		}
	}
	return ""
}

var jsExtensions = []string{".js", ".json", ".mjs", ".cjs"}

// jsModule is the file that a path means, by Node's rules; empty when there is none.
func (c *collector) jsModule(target string, folder bool) string {
	if !folder {
		if c.isFile(target) {
			return target
		}
		for _, ext := range jsExtensions {
			if c.isFile(target + ext) {
				return target + ext
			}
		}
	}
	if pkg := path.Join(target, "package.json"); c.isFile(pkg) {
		var about struct{ Main string }
		data, err := c.read(pkg)
		if err == nil && json.Unmarshal(data, &about) == nil && about.Main != "" {
			main := path.Join(target, about.Main)
			for _, ext := range append([]string{""}, jsExtensions...) {
				if inside(main) && c.isFile(main+ext) {
					c.add(pkg)
					return main + ext
				}
			}
		}
	}
	for _, ext := range jsExtensions {
		if index := path.Join(target, "index"+ext); c.isFile(index) {
			return index
		}
	}
	return ""
}

func inside(name string) bool { return name != ".." && !strings.HasPrefix(name, "../") }
