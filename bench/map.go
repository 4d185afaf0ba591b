package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// How many files a process of the peers over xargs reads: as many as a task of tafc has.
const filesEach = "24"

// mapBench measures whole runs from an empty state, reduce and output included, against what one would use without tafc. All count
// the same, and what they print is compared.
type mapBench struct {
	ctx    context.Context
	o      options
	dir    string // with the analyses, and the data in telemetry
	last   string // the same records with info at their ends
	python string
	absent []string // what is not measured, and why

	want  string // the count
	bytes string // how many bytes of records there are
	at    int    // rounds so far
}

func benchMap(ctx context.Context, o options, report *strings.Builder) error {
	b := &mapBench{ctx: ctx, o: o, dir: filepath.Join(o.dir, "analysis"), last: filepath.Join(o.dir, "last")}
	if err := b.prepare(); err != nil {
		return err
	}
	files, stored, err := weigh(filepath.Join(b.dir, "telemetry"), ".gz")
	if err != nil {
		return err
	}
	subjects := b.subjects()
	if err := alternate(o.rounds, subjects); err != nil {
		return err
	}
	raw, err := strconv.ParseFloat(b.bytes, 64)
	if err != nil {
		return fmt.Errorf("the bytes of all records: %w", err)
	}
	fmt.Fprintf(report, "\n## Mapping %d .gz files, %.0f MB stored, %.0f MB of JSON\n\n", files, float64(stored)/1e6, raw/1e6)
	fmt.Fprintf(report, "Whole runs: plan, map, reduce and output from an empty state. All that count give the same %d lines.\n\n", strings.Count(b.want, "\n"))
	table(report, subjects)
	goals(report, subjects)
	for _, line := range b.absent {
		fmt.Fprintf(report, "\n%s\n", line)
	}
	return nil
}

// prepare makes the data and finds the programs.
func (b *mapBench) prepare() error {
	for dir, arg := range map[string]string{b.dir: "-info-last=false", b.last: "-info-last"} {
		if err := generate(b.ctx, dir, "-bench", "-files", fmt.Sprint(b.o.dataFiles), "-total", fmt.Sprint(b.o.dataRecords), arg); err != nil {
			return err
		}
	}
	// The interpreter itself, not what finds it: tafc asks for it once as well.
	out, err := exec.CommandContext(b.ctx, "python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return fmt.Errorf("python3: %w", err)
	}
	b.python = strings.TrimSpace(string(out))
	return nil
}

// generate makes data once.
func generate(ctx context.Context, dir string, args ...string) error {
	if _, err := os.Stat(filepath.Join(dir, "telemetry")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	made := dir + ".making"
	if err := os.RemoveAll(made); err != nil {
		return err
	}
	if err := command(ctx, ".", "go", append([]string{"run", "github.com/tafc/tafc/testdata/gen", "-o", made}, args...)...); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.Rename(filepath.Join(made, "telemetry"), filepath.Join(dir, "telemetry"))
}

// The names of subjects that goals speak of.
const (
	runJSON      = "`tafc run`, Python, json"
	runOrjson    = "`tafc run`, Python, orjson"
	runFields    = "`tafc run`, Python, `fields`"
	runLast      = "`tafc run`, Python, `fields` at the end of the record"
	runNative    = "`tafc run`, `count_by`"
	runNode      = "`tafc run`, JavaScript"
	runLines     = "`tafc run`, streaming, Python"
	runBytes     = "`tafc run`, streaming, `wc -c`"
	poolJSON     = "Python multiprocessing over gzip, json"
	poolOrjson   = "Python multiprocessing over gzip, orjson"
	xargsPython  = "`gzip -dc \\| python3`, xargs"
	xargsNode    = "`gzip -dc \\| node`, xargs"
	xargsBytes   = "`gzip -dc \\| wc -c`, xargs"
	duckSQL      = "DuckDB"
	decompressed = "decompression alone, by tafc's decompressor"
)

func (b *mapBench) subjects() []*subject {
	data := filepath.Join(b.dir, "telemetry")
	noOrjson := []string{"PYTHONPATH=" + filepath.Join(b.o.dir, "peers", "noorjson")}
	list := []*subject{
		b.tafc(runJSON, "count", noOrjson),
		b.tafc(runFields, "fields", noOrjson),
		b.tafc(runLast, "fields", noOrjson, "-var", "data=../last/telemetry"),
		b.tafc(runNative, "native", nil),
		b.tafc(runLines, "lines", nil),
		{name: runBytes, run: func(int) (sample, error) { return b.run("bytes", nil, &b.bytes, total) }},
		b.peer(poolJSON, b.python, b.peers("pool.py"), data, "json"),
		b.peer(xargsPython, "sh", b.peers("xargs.sh"), data, filesEach, b.python+" "+filepath.Join(b.dir, "lines.py"), b.python+" "+filepath.Join(b.dir, "lines.py")+" -merge"),
		{name: xargsBytes, run: func(int) (sample, error) {
			s, err := measure(b.ctx, b.dir, nil, "sh", b.peers("xargs.sh"), data, filesEach, "wc -c", "cat")
			return s, errors.Join(err, same(xargsBytes, &b.bytes, total(string(s.stdout))))
		}},
		{name: decompressed, run: func(int) (sample, error) {
			s, err := decompression(b.ctx, data, 2)
			return s, errors.Join(err, same(decompressed, &b.bytes, total(string(s.stdout))))
		}},
	}
	if err := exec.CommandContext(b.ctx, b.python, "-c", "import orjson").Run(); err == nil {
		list = append(list, b.tafc(runOrjson, "count", nil), b.peer(poolOrjson, b.python, b.peers("pool.py"), data, "orjson"))
	} else {
		b.miss("orjson", "python3 cannot import it")
	}
	node, err := exec.LookPath("node")
	if err == nil {
		program := node + " " + b.peers("lines.mjs")
		list = append(list, b.tafc(runNode, "node", nil), b.peer(xargsNode, "sh", b.peers("xargs.sh"), data, filesEach, program, program+" -merge"))
	} else {
		b.miss("JavaScript", "node is not installed")
	}
	switch {
	case b.o.duckdb == "":
		b.miss("DuckDB", "no -duckdb says where its module for Node is")
	case node == "":
		b.miss("DuckDB", "node is not installed")
	default:
		list = append(list, b.peer(duckSQL, node, b.peers("duckdb.mjs"), b.o.duckdb, data))
	}
	return list
}

func (b *mapBench) miss(what, why string) {
	b.absent = append(b.absent, fmt.Sprintf("Not measured: %s (%s).", what, why))
}

func (b *mapBench) peers(name string) string { return filepath.Join(b.o.dir, "peers", name) }

// tafc is a run of an analysis that counts.
func (b *mapBench) tafc(name, analysis string, env []string, args ...string) *subject {
	return &subject{name: name, run: func(int) (sample, error) { return b.run(analysis, env, &b.want, sorted, args...) }}
}

// run runs an analysis from an empty state and checks its output, which text makes comparable.
func (b *mapBench) run(analysis string, env []string, want *string, text func(string) string, args ...string) (sample, error) {
	b.at++
	state := filepath.Join(b.o.dir, "state", fmt.Sprint(b.at))
	defer os.RemoveAll(state)
	result := filepath.Join(b.dir, "result.txt")
	if err := os.RemoveAll(result); err != nil {
		return sample{}, err
	}
	s, err := measure(b.ctx, b.dir, append([]string{"TAF_STATE=" + state}, env...), b.o.tafc, append(append([]string{"run"}, args...), analysis+".taf.hcl")...)
	if err != nil {
		return s, err
	}
	got, err := os.ReadFile(result)
	if err != nil {
		return s, err
	}
	return s, same(analysis, want, text(string(got)))
}

func (b *mapBench) peer(name string, command ...string) *subject {
	return &subject{name: name, run: func(int) (sample, error) {
		s, err := measure(b.ctx, b.dir, nil, command[0], command[1:]...)
		if err != nil {
			return s, err
		}
		return s, same(name, &b.want, sorted(string(s.stdout)))
	}}
}

// same compares a result with those before.
func same(name string, want *string, got string) error {
	if *want == "" {
		*want = got
	}
	if *want != got {
		return fmt.Errorf("the results differ\n--- %s\n%s--- before\n%s", name, got, *want)
	}
	return nil
}

// sorted is a text with its lines in order: programs that know only text sort keys as such.
func sorted(text string) string {
	lines := slices.Collect(strings.Lines(text))
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// total is the sum of the numbers that a text begins its lines with.
func total(text string) string {
	sum := 0
	for line := range strings.Lines(text) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		n, err := strconv.Atoi(word)
		if err != nil {
			return text
		}
		sum += n
	}
	return strconv.Itoa(sum)
}

// weigh is how many files with an extension a folder holds and their bytes.
func weigh(root, ext string) (files int, size int64, err error) {
	err = filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ext) {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files, size = files+1, size+info.Size()
		return nil
	})
	return files, size, err
}
