package usercode_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// recorder is a Sink that remembers.
type recorder struct {
	mu     sync.Mutex
	pairs  strings.Builder
	bad    []string // "0 code KeyError: 'x'"
	errs   []*usercode.Error
	done   int
	counts []string
	logs   []string

	onPairs func(lines []byte) error
	onBad   func() error
	quiet   bool // do not keep pairs
}

func (r *recorder) Pairs(lines []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.onPairs != nil {
		if err := r.onPairs(lines); err != nil {
			return err
		}
	}
	if !r.quiet {
		r.pairs.Write(lines)
	}
	return nil
}

func (r *recorder) Bad(b *usercode.Block, i int, err *usercode.Error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bad = append(r.bad, fmt.Sprintf("%d %s %s", b.First+int64(i), err.Cause, err.Message))
	r.errs = append(r.errs, err)
	if r.onBad != nil {
		return r.onBad()
	}
	return nil
}

func (r *recorder) Done(*usercode.Block) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	return nil
}

func (r *recorder) Count(name string, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts = append(r.counts, fmt.Sprint(name, " ", n))
}

func (r *recorder) Log(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logs = append(r.logs, line)
}

func (r *recorder) log() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.logs, "\n")
}

// tools are the programs of the languages.
var tools = map[string]string{"python": "python3", "javascript": "node", "program": "sh"}

// write makes a folder of code. The first file is the entry: pairs of name and content.
func write(t testing.TB, language, contract string, files ...string) *job.Code {
	t.Helper()
	require.Tool(t, tools[language])
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, filepath.FromSlash(files[i]))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &job.Code{Dir: dir, Entry: files[0], Language: language, Contract: contract}
}

// block makes a block of records.
func block(file string, keyed bool, records ...string) *usercode.Block {
	b := &usercode.Block{File: file, Dims: []string{"saved_session", "Firefox"}, First: 1, Lines: true, Keyed: keyed}
	for _, r := range records {
		b.Offsets = append(b.Offsets, int64(len(b.Data)))
		b.Data = append(append(b.Data, r...), '\n')
		b.Ends = append(b.Ends, len(b.Data)-1)
		b.Lines = b.Lines && !strings.Contains(r, "\n")
	}
	return b
}

// start starts a program with what most tests have in common.
func start(t testing.TB, o usercode.Options, sink usercode.Sink) (usercode.Program, error) {
	t.Helper()
	if o.WorkDir == "" {
		o.WorkDir = t.TempDir()
	}
	if o.Role == "" {
		o.Role = job.RoleMap
	}
	if o.Dims == nil {
		o.Dims = []string{"reason", "appName"}
	}
	return usercode.Start(t.Context(), o, sink)
}

// runMap maps blocks and says how it ended.
func runMap(t testing.TB, o usercode.Options, blocks ...*usercode.Block) (*recorder, error) {
	t.Helper()
	r := &recorder{}
	p, err := start(t, o, r)
	if err != nil {
		return r, err
	}
	for _, b := range blocks {
		if p.Map(b) != nil {
			break
		}
	}
	return r, p.Close()
}

// runPairs reduces or combines lines.
func runPairs(t testing.TB, o usercode.Options, lines ...string) (*recorder, usercode.Program, error) {
	t.Helper()
	r := &recorder{}
	p, err := start(t, o, r)
	if err != nil {
		return r, p, err
	}
	for _, l := range lines {
		if p.Pairs([]byte(l)) != nil {
			break
		}
	}
	return r, p, p.Close()
}

// userError is the *Error that an error must be.
func userError(t testing.TB, err error) *usercode.Error {
	t.Helper()
	var e *usercode.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *usercode.Error", err)
	}
	return e
}

// contains tells whether all parts are in the text.
func contains(t testing.TB, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s lacks %q:\n%s", what, p, text)
		}
	}
}
