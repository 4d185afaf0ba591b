package syntax

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tafc/tafc/bundle"
	"github.com/tafc/tafc/runtime/usercode"
)

// patience is how long an interpreter may take for all files.
const patience = time.Minute

var (
	//go:embed check.py
	checkPython string
	//go:embed check.js
	checkNode string
)

// language is how one interpreter is asked.
type language struct {
	name  string
	title string
	args  []string // of the interpreter, with our script among them
}

var languages = []language{
	{bundle.Python, "Python", []string{"-B", "-X", "utf8", "-c", checkPython}},
	{bundle.JavaScript, "JavaScript", []string{"--experimental-vm-modules", "--no-warnings", "-e", checkNode}},
}

// Check returns what is wrong with the files, sorted by place, with Path as it is in the Source. A language whose interpreter is not
// on this computer is passed over. Files that the cache knows to be sound are not looked at again.
func Check(ctx context.Context, files []bundle.Source, cache *Cache) []bundle.Problem {
	found := make([][]bundle.Problem, len(languages))
	var group sync.WaitGroup
	for i, l := range languages {
		group.Go(func() { found[i] = l.check(ctx, files, cache) })
	}
	group.Wait()
	problems := slices.Concat(found...)
	slices.SortStableFunc(problems, func(a, b bundle.Problem) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
	})
	return problems
}

func (l language) check(ctx context.Context, all []bundle.Source, cache *Cache) []bundle.Problem {
	interpreter, known := find(l.name)
	if !known {
		return nil
	}
	var files []bundle.Source
	var keys []string
	for _, f := range all {
		if f.Language != l.name {
			continue
		}
		if key := interpreter.key(f); !cache.sound(key) {
			files, keys = append(files, f), append(keys, key)
		}
	}
	if len(files) == 0 {
		return nil
	}
	got, err := l.ask(ctx, interpreter.path, files)
	if err != nil {
		return []bundle.Problem{{Code: "bundle/unchecked", Path: files[0].Path, Warning: true, Summary: "Syntax was not checked",
			Detail: fmt.Sprintf("%s could not check the %s code: %v. Everything else was checked.", interpreter.path, l.title, err)}}
	}
	var problems []bundle.Problem
	for i, v := range got.Files {
		more := v.problems(files[i], l.title, got.Version)
		if len(more) == 0 {
			cache.add(keys[i])
		}
		problems = append(problems, more...)
	}
	return problems
}

// question is what a script is asked about one file.
type question struct {
	Data      []byte   `json:"data"`
	Kind      string   `json:"kind"`
	Libraries []string `json:"libraries"`
}

// answer is what a script says.
type answer struct {
	Version string    `json:"version"`
	Files   []verdict `json:"files"`
}

// verdict is what it says about one file.
type verdict struct {
	Message   string   `json:"message"` // empty: the file parses
	Line      int      `json:"line"`
	Column    int      `json:"column"`
	EndLine   int      `json:"end_line"`
	EndColumn int      `json:"end_column"`
	Absent    []string `json:"absent"` // libraries that are not installed
}

func (l language) ask(ctx context.Context, program string, files []bundle.Source) (answer, error) {
	questions := make([]question, len(files))
	for i, f := range files {
		questions[i] = question{Data: f.Data, Kind: kind(f), Libraries: libraries(f)}
	}
	input, err := json.Marshal(questions)
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, l.args...)
	cmd.Dir = os.TempDir() // not where the code is: a module of the same name as one of ours would be taken for it
	cmd.WaitDelay = time.Second
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return answer{}, fmt.Errorf("%w %s", err, lastLine(stderr.String()))
	}
	var a answer
	if err := json.Unmarshal(output, &a); err != nil {
		return answer{}, fmt.Errorf("its answer cannot be read: %w", err)
	}
	if len(a.Files) != len(files) {
		return answer{}, fmt.Errorf("it was asked about %d files and answered about %d", len(files), len(a.Files))
	}
	return a, nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// kind is how Node reads a file: as an ES module, as CommonJS, or by what it holds.
func kind(f bundle.Source) string {
	switch ext := path.Ext(f.Path); {
	case ext == ".mjs" || f.Module && ext == ".js":
		return "module"
	case ext == ".cjs":
		return "commonjs"
	}
	return "either"
}

func libraries(f bundle.Source) []string {
	names := []string{}
	for _, l := range f.Libraries {
		if !slices.Contains(names, l.Name) {
			names = append(names, l.Name)
		}
	}
	return names
}

func (v verdict) problems(f bundle.Source, title, version string) []bundle.Problem {
	var out []bundle.Problem
	if v.Message != "" {
		out = append(out, bundle.Problem{
			Code: "bundle/syntax", Path: f.Path, Line: max(v.Line, 1), Column: v.Column, EndLine: v.EndLine, EndColumn: v.EndColumn,
			Summary: title + " does not parse",
			Detail:  fmt.Sprintf("%s says: %s%s", version, strings.TrimSuffix(v.Message, "."), stop(v.Message)),
		})
	}
	for _, l := range f.Libraries {
		if slices.Contains(v.Absent, l.Name) {
			out = append(out, bundle.Problem{
				Code: "bundle/unknown-module", Path: f.Path, Line: l.Line, Warning: true, Summary: "Module is not installed here",
				Detail: fmt.Sprintf("%q is not in the folder of the analysis, and %s of this computer does not have it. "+
					"Write the file, install the library, or name an image that has it.", l.Name, version),
			})
		}
	}
	return out
}

// stop ends a sentence that does not end itself.
func stop(s string) string {
	if strings.HasSuffix(s, "?") || strings.HasSuffix(s, "!") {
		return ""
	}
	return "."
}

// interpreter is a program of this computer.
type interpreter struct {
	path  string
	stamp string // changes when another version of it is installed
}

// find looks where the tasks look.
func find(name string) (interpreter, bool) {
	i, ok := usercode.InterpreterOf(name)
	if !ok {
		return interpreter{}, false
	}
	program := os.Getenv(i.Env)
	if program == "" {
		program = i.Program
	}
	found, err := exec.LookPath(program)
	if err != nil {
		return interpreter{}, false
	}
	info, err := os.Stat(found)
	if err != nil {
		return interpreter{}, false
	}
	return interpreter{found, fmt.Sprintf("%s %d %d", found, info.Size(), info.ModTime().UnixNano())}, true
}
