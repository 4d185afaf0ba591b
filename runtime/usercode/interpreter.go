package usercode

import "os"

// Interpreter is the program that runs a language.
type Interpreter struct {
	Program   string   // found in the PATH
	Env       string   // the variable that names another program instead, unless the stage sets a PATH of its own
	WhereArgs []string // make the program print the path of its own executable
}

// InterpreterOf is the interpreter of a language of bundles; ok is false for programs that run as they are.
func InterpreterOf(language string) (i Interpreter, ok bool) {
	switch language {
	case "python":
		return Interpreter{"python3", "TAFC_PYTHON", []string{"-c", "import sys; print(sys.executable)"}}, true
	case "javascript":
		return Interpreter{"node", "TAFC_NODE", []string{"-p", "process.execPath"}}, true
	}
	return Interpreter{}, false
}

// interpreter is the program to start for a language in the environment of a stage; empty when it needs none.
func interpreter(language string, env map[string]string) string {
	i, ok := InterpreterOf(language)
	if !ok {
		return ""
	}
	if _, own := env["PATH"]; !own {
		if path := os.Getenv(i.Env); path != "" {
			return path
		}
	}
	return i.Program
}
