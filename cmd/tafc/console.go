package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/lang"
)

func (a *app) consoleVerb() *cobra.Command {
	var in inputs
	c := &cobra.Command{
		Use:   "console [FILE]",
		Short: "Evaluate expressions",
		Long: "Evaluate expressions with the variables, locals and functions of an analysis, as they are typed, or line by line from standard input. " +
			"Without an analysis there are functions only. exit, or the end of the input, ends.",
		Example: "  tafc console\n  echo 'jsonencode(local.days)' | tafc console -var channel=beta os-count.taf.hcl",
		Args:    positional(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			e, err := a.evaluator(args, &in)
			if err != nil {
				return err
			}
			if a.streams.InTerminal && a.streams.OutTerminal {
				return a.typed(e)
			}
			return a.lines(e)
		},
	}
	in.varFlags(c.Flags())
	return c
}

// evaluator reads the analysis that is meant, or none when the folder has none.
func (a *app) evaluator(args []string, in *inputs) (*lang.Evaluator, error) {
	file, err := findFile(args, 0)
	if _, none := analysesHere(); err != nil && none == nil {
		return nil, err
	}
	s := &session{app: a, in: in, sources: map[string][]byte{}}
	var src []byte
	if err == nil {
		if src, err = readAnalysis(file); err != nil {
			return nil, fmt.Errorf("read analysis: %w", err)
		}
		s.sources[file] = src
	}
	options, err := s.options(file)
	if err != nil {
		return nil, err
	}
	e, diags := lang.NewEvaluator(file, src, options)
	// Problems of the file are told; what does not depend on them works.
	if err := a.report(append(s.diags, diags...), s.sources); err != nil && !diags.HasErrors() {
		return nil, err
	}
	return e, nil
}

// lines evaluates what stands in the lines of standard input. It goes on after a line that fails.
func (a *app) lines(e *lang.Evaluator) error {
	in := bufio.NewReader(a.streams.In)
	failed := false
	text := ""
	for {
		line, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read standard input: %w", err)
		}
		text += line
		if err == nil && lang.Open(text) {
			continue
		}
		done, ok := a.evaluate(e, a.streams.Out, a.streams.Err, text)
		failed = failed || !ok
		if text = ""; done || err != nil {
			break
		}
	}
	if failed {
		return &exit{code: exitFailed}
	}
	return nil
}

// typed reads from a terminal, with a history and completion.
func (a *app) typed(e *lang.Evaluator) error {
	fd := int(os.Stdin.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return fmt.Errorf("read from the terminal: %w", err)
	}
	defer term.Restore(fd, before)
	const prompt, more = "> ", ". "
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{a.streams.In, a.streams.Out}, prompt)
	if width, height, err := term.GetSize(fd); err == nil && width > 0 {
		_ = t.SetSize(width, height)
	}
	names := slices.Sorted(slices.Values(e.Names()))
	t.AutoCompleteCallback = func(line string, pos int, key rune) (string, int, bool) {
		if key != '\t' {
			return "", 0, false
		}
		return completed(names, line, pos)
	}
	text := ""
	for {
		line, err := t.ReadLine()
		if err != nil { // Ctrl-D, Ctrl-C
			return nil
		}
		text += line + "\n"
		if lang.Open(text) && strings.TrimSpace(line) != "" {
			t.SetPrompt(more)
			continue
		}
		done, _ := a.evaluate(e, t, t, text)
		if done {
			return nil
		}
		text = ""
		t.SetPrompt(prompt)
	}
}

// evaluate evaluates one expression. done tells that no more is wanted.
func (a *app) evaluate(e *lang.Evaluator, out, err io.Writer, text string) (done, ok bool) {
	text = strings.TrimSpace(text)
	switch {
	case text == "" || strings.HasPrefix(text, "#"):
		return false, true
	case text == "exit" || text == "quit":
		return true, true
	}
	value, diags := e.Eval(text)
	if len(diags) > 0 {
		report := diag.NewReport(diags, map[string][]byte{lang.ConsoleName: []byte(text)})
		_ = report.WriteText(err, a.streams.Width(), a.streams.Color && a.streams.ErrTerminal)
	}
	if diags.HasErrors() {
		return false, false
	}
	fmt.Fprintln(out, value)
	return false, true
}

// completed finishes the word before the cursor as far as it can only go on in one way.
func completed(names []string, line string, pos int) (string, int, bool) {
	start := pos
	for start > 0 && (line[start-1] == '.' || line[start-1] == '_' || line[start-1] == '-' || isWord(line[start-1])) {
		start--
	}
	word, common := line[start:pos], ""
	for _, name := range names {
		if !strings.HasPrefix(name, word) {
			continue
		}
		if common == "" {
			common = name
		}
		for !strings.HasPrefix(name, common) {
			common = common[:len(common)-1]
		}
	}
	if word == "" || len(common) <= len(word) {
		return "", 0, false
	}
	return line[:start] + common + line[pos:], start + len(common), true
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
