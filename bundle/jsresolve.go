package bundle

import (
	"encoding/json"
	"path"
	"strings"
)

// followJS ships the modules that a file loads by a relative path, and the package.json that says what kind of module it is.
func (c *collector) followJS(file string, imports []jsImport) {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if pkg := path.Join(dir, "package.json"); c.isFile(pkg) {
			c.add(pkg)
			break
		}
		if dir == "." {
			break
		}
	}
	for _, imp := range imports {
		relative := imp.module == "." || imp.module == ".." || strings.HasPrefix(imp.module, "./") || strings.HasPrefix(imp.module, "../")
		if !relative && !path.IsAbs(imp.module) {
			continue // Node's own, or a library of the image
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
				"%q needs a file %s, the same with .js, .json, .mjs or .cjs, or a folder of that name with an index.js.", imp.module, target)
		}
	}
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
