package bundle

import (
	"bytes"
	"fmt"
	"path"
	"strings"
)

// interpreters are the programs of languages that people write data programs in and that sh cannot read, by the extension of their files.
var interpreters = map[string]string{
	".rb": "ruby", ".pl": "perl", ".r": "Rscript", ".lua": "lua", ".php": "php", ".jl": "julia", ".tcl": "tclsh", ".awk": "awk -f",
	".fish": "fish", ".ps1": "pwsh", ".exs": "elixir", ".groovy": "groovy",
}

// compiled are the languages whose sources run only after another program was at work, by the extension of their files.
var compiled = map[string]string{
	".ts": "TypeScript", ".mts": "TypeScript", ".cts": "TypeScript", ".tsx": "TypeScript", ".jsx": "JSX", ".coffee": "CoffeeScript",
	".go": "Go", ".rs": "Rust", ".c": "C", ".cc": "C++", ".cpp": "C++", ".java": "Java", ".kt": "Kotlin", ".scala": "Scala",
	".ipynb": "a notebook", ".pyc": "compiled Python",
}

// program looks at an entry that is run as it is.
func (c *collector) program(f *File) {
	ext := strings.ToLower(path.Ext(f.Path))
	shebang := bytes.HasPrefix(f.Data, []byte("#!"))
	switch {
	case len(bytes.TrimSpace(f.Data)) == 0:
		c.problem("bundle/unknown-language", f.Path, 0, "Nothing to run", "%q is empty.", f.Path)
	case shebang || bytes.IndexByte(f.Data[:min(len(f.Data), 512)], 0) >= 0 && f.Executable:
	case compiled[ext] != "":
		c.problem("bundle/unknown-language", f.Path, 0, "Code in a language that cannot be run", "%s", compiledDetail(f.Path, ext))
	case interpreters[ext] != "":
		c.problem("bundle/unknown-language", f.Path, 0, "Nothing says how to run the program",
			"%q is Python (.py), JavaScript (.js, .mjs, .cjs) or a program, and its first line does not say which program reads it. Begin it with \"#!/usr/bin/env %s\"; without, sh would read it.",
			f.Path, interpreters[ext])
	case bytes.IndexByte(f.Data[:min(len(f.Data), 512)], 0) >= 0:
		c.problem("bundle/not-executable", f.Path, 0, "Program is not executable",
			"%q is no text, and it may not be executed either. If it is a program, run: chmod +x %s", f.Path, f.Path)
	case ext == ".json" || ext == ".txt" || ext == ".md" || ext == ".csv" || ext == ".hcl" || ext == ".html":
		c.problem("bundle/unknown-language", f.Path, 0, "This is no code",
			"%q does not look like a program. The first element of code is the file with the functions; further files that are shipped with it come after it, in a list.", f.Path)
	}
}

func compiledDetail(name, ext string) string {
	stem := strings.TrimSuffix(name, path.Ext(name))
	switch compiled[ext] {
	case "TypeScript", "JSX", "CoffeeScript":
		return fmt.Sprintf("%q is %s, which no task runs as it is. Compile it to JavaScript and name the result, such as code = %q.", name, compiled[ext], stem+".js")
	case "a notebook":
		return fmt.Sprintf("%q is a notebook, which no task runs as it is. Export its code and name the result, such as code = %q.", name, stem+".py")
	case "compiled Python":
		return fmt.Sprintf("%q is compiled Python, which belongs to one version of Python. Name the source, such as code = %q.", name, stem+".py")
	}
	return fmt.Sprintf("%q is %s, which must be compiled before it can run. Compile it and name the program that comes out.", name, compiled[ext])
}
