package view

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// Streams are the ends that a command talks to: results go to Out, diagnostics and progress to Err.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer

	InTerminal  bool // somebody can answer a question
	OutTerminal bool
	ErrTerminal bool
	Color       bool // for Out and Err alike, when they are terminals
}

// defaultWidth is the columns of a text that does not go to a terminal.
const defaultWidth = 100

// OSStreams are the streams of this process. Colours are off with NO_COLOR, or when the output is no terminal.
func OSStreams() *Streams {
	s := &Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTerminal:  term.IsTerminal(int(os.Stdin.Fd())),
		OutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
	_, noColor := os.LookupEnv("NO_COLOR")
	s.Color = !noColor && os.Getenv("TERM") != "dumb"
	return s
}

// Width is the number of columns of the terminal behind Err, or what COLUMNS says, or 100.
func (s *Streams) Width() int {
	if w, _ := s.size(); w > 0 {
		return w
	}
	if w, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && w > 20 {
		return w
	}
	return defaultWidth
}

// size is that of the terminal behind Err, zero when there is none.
func (s *Streams) size() (width, height int) {
	f, ok := s.Err.(*os.File)
	if !s.ErrTerminal || !ok {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}

// Style colours text, or leaves it as it is.
type Style struct{ on bool }

// OutStyle is the style for Out.
func (s *Streams) OutStyle() Style { return Style{s.Color && s.OutTerminal} }

// ErrStyle is the style for Err.
func (s *Streams) ErrStyle() Style { return Style{s.Color && s.ErrTerminal} }

func (s Style) wrap(code, text string) string {
	if !s.on {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Bold, Dim, Red, Green and Yellow colour a text. Meaning never depends on colour.
func (s Style) Bold(text string) string   { return s.wrap("1", text) }
func (s Style) Dim(text string) string    { return s.wrap("2", text) }
func (s Style) Red(text string) string    { return s.wrap("31", text) }
func (s Style) Green(text string) string  { return s.wrap("32", text) }
func (s Style) Yellow(text string) string { return s.wrap("33", text) }

// Problems prints how many diagnostics there were, and of how many analyses when these are several.
func Problems(s *Streams, n, files int) {
	if files > 1 {
		fmt.Fprintf(s.Err, "%s in %d analyses.\n", count(n, "problem"), files)
		return
	}
	fmt.Fprintf(s.Err, "%s.\n", count(n, "problem"))
}

// Valid prints that there are no errors.
func Valid(s *Streams, files int) {
	if files > 1 {
		fmt.Fprintf(s.Out, "All %d analyses are valid.\n", files)
		return
	}
	fmt.Fprintln(s.Out, "The analysis is valid.")
}
