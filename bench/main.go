package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// The analyses that are measured, and the peer.
//
//go:embed analysis peers
var files embed.FS

// options of one run of the benchmarks.
type options struct {
	rounds                 int
	planFiles              int
	planSizes              string // of the curve
	planPeers              string // programs to compare planning with
	peerLimit              time.Duration
	dataFiles, dataRecords int
	duckdb                 string // folder with its module for Node
	listFiles              int
	only                   string
	dir                    string // where everything is built and run
	tafc                   string // the program
	out                    string
	memoryKeys             int // distinct keys that go through little memory
	memorySubjects         string
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == rawVerb {
		exitWith(readRaw(os.Args[2], os.Args[3]))
	}
	if len(os.Args) == 2 && os.Args[1] == doubleVerb {
		exitWith(double(os.Stdin, os.Stdout))
	}
	if len(os.Args) == 3 && os.Args[1] == putVerb {
		exitWith(putTasks(os.Args[2]))
	}
	if len(os.Args) == 4 && os.Args[1] == decompressVerb {
		if err := decompress(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) > 3 && os.Args[1] == measureVerb {
		exitWith(measured(os.Args[2], os.Args[3], os.Args[4:]))
	}
	o := options{}
	flag.IntVar(&o.rounds, "n", 5, "measured rounds; one more comes before them to warm up")
	flag.IntVar(&o.planFiles, "plan-files", 1_000_000, "files of the index that is planned beside the peers")
	flag.StringVar(&o.planSizes, "plan-sizes", "10000,100000,1000000,10000000", "numbers of files that show how the cost of a plan grows")
	flag.StringVar(&o.planPeers, "plan-peers", "ninja,make,snakemake,terraform", "programs to compare planning with, where they are installed")
	flag.DurationVar(&o.peerLimit, "peer-limit", 2*time.Minute, "how long snakemake and terraform may take")
	flag.IntVar(&o.dataFiles, "data-files", 238, "files that are mapped")
	flag.IntVar(&o.dataRecords, "data-records", 59_468, "records in these files, 8 to 12 KB each")
	flag.StringVar(&o.duckdb, "duckdb", "", "folder with node_modules/@duckdb/node-api, to map with DuckDB as well")
	flag.IntVar(&o.listFiles, "list-files", 100_000, "objects of the buckets that are listed")
	flag.StringVar(&o.memorySubjects, "memory-subjects", "", "of operation, python, partitions and sort those that count the keys; default: all")
	flag.IntVar(&o.memoryKeys, "memory-keys", 50_000_000, "distinct keys that are counted in 512 MiB")
	flag.StringVar(&o.only, "only", "", "plan, map, decompress, validate, list, submit or memory: measure only that; memory is measured only when it is named")
	flag.StringVar(&o.dir, "dir", "", "folder to work in and to keep, with data that is used again; default: one that is removed")
	flag.StringVar(&o.tafc, "tafc", "", "program to measure instead of building one")
	flag.StringVar(&o.out, "o", "", "file to write the table to besides standard output")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// exitWith ends a process that this program started of itself.
func exitWith(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, o options) error {
	if o.rounds < 1 || !slices.Contains([]string{"", "plan", "map", "decompress", "validate", "list", "submit", "memory"}, o.only) {
		return fmt.Errorf("-n must be 1 or more, -only must be plan, map, decompress, validate, list, submit or memory")
	}
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "tafc-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.dir = dir
	}
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return err
	}
	o.dir = dir
	if err := unpack(o.dir); err != nil {
		return err
	}
	if o.tafc == "" {
		o.tafc = filepath.Join(o.dir, "tafc")
		if err := build(ctx, o.tafc, "github.com/tafc/tafc/cmd/tafc"); err != nil {
			return err
		}
	} else if o.tafc, err = filepath.Abs(o.tafc); err != nil {
		return err
	}
	for _, b := range []struct {
		name string
		run  func(context.Context, options, *strings.Builder) error
	}{{"plan", benchPlan}, {"map", benchMap}, {"decompress", benchDecompress}, {"validate", benchValidate}, {"list", benchList}, {"submit", benchSubmit}, {"memory", benchMemory}} {
		if o.only != b.name && (o.only != "" || b.name == "memory") {
			continue
		}
		var report strings.Builder
		if err := b.run(ctx, o, &report); err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		how := fmt.Sprintf("medians of %d rounds in alternation after one to warm up", o.rounds)
		if b.name == "memory" {
			how = fmt.Sprintf("rounds: %d, one subject after the other", o.rounds)
		}
		fmt.Fprintf(&report, "\n%d cores, %s/%s, %s, %s; %s.\n", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), pythonVersion(ctx), how)
		fmt.Print(report.String())
		if o.out == "" {
			continue
		}
		if err := putSection(o.out, b.name, report.String()); err != nil {
			return err
		}
	}
	return nil
}

// wants tells whether planning is to be compared with a program.
func (o *options) wants(program string) bool {
	return slices.Contains(strings.Split(o.planPeers, ","), program)
}

// putSection replaces one benchmark's section of the results.
func putSection(path, name, text string) error {
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->\n"
	old, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		old, err = []byte("# Results\n\nWritten by `go run ./bench -o` (see README.md), section by section.\n"), nil
	}
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(old), begin)
	_, after, closed := strings.Cut(rest, end)
	if found && !closed {
		return fmt.Errorf("%s: the section %s has no end", path, name)
	}
	if !found {
		before += "\n"
	}
	return os.WriteFile(path, []byte(before+begin+strings.TrimLeft(text, "\n")+end+after), 0o644)
}

// unpack writes the analyses and the peer into the folder.
func unpack(dir string) error {
	for _, folder := range []string{"analysis", "peers", "peers/noorjson"} {
		entries, err := files.ReadDir(folder)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.IsDir() {
				continue
			}
			data, err := files.ReadFile(folder + "/" + e.Name())
			if err != nil {
				return err
			}
			to := filepath.Join(dir, folder, e.Name())
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(to, data, 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}

// command runs a program whose output matters only when it fails.
// build builds a program as releases are built: static, which starts faster.
func build(ctx context.Context, to, pkg string) error {
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", to, pkg)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

func command(ctx context.Context, dir, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

func pythonVersion(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "python3", "--version").CombinedOutput()
	if err != nil {
		return "no Python"
	}
	return strings.TrimSpace(string(out))
}
