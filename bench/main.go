package main

import (
	"context"
	"embed"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
)

// The analyses that are measured, and the peer.
//
//go:embed analysis peers
var files embed.FS

// options of one run of the benchmarks.
type options struct {
	rounds    int
	planFiles int
	dataFiles int
	only      string
	dir       string // where everything is built and run
	tafc      string // the program
	out       string
}

func main() {
	if len(os.Args) > 3 && os.Args[1] == measureVerb {
		if err := measured(os.Args[2], os.Args[3], os.Args[4:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	o := options{}
	flag.IntVar(&o.rounds, "n", 5, "measured rounds; one more comes before them to warm up")
	flag.IntVar(&o.planFiles, "plan-files", 100_000, "files of the index that is planned")
	flag.IntVar(&o.dataFiles, "data-files", 120, "files of 250 records that are mapped; 120 are about 300 MB of JSON")
	flag.StringVar(&o.only, "only", "", "plan or map: measure only that")
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

func run(ctx context.Context, o options) error {
	if o.rounds < 1 || o.only != "" && o.only != "plan" && o.only != "map" {
		return fmt.Errorf("-n must be 1 or more, -only must be plan or map")
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
		if err := command(ctx, ".", "go", "build", "-trimpath", "-o", o.tafc, "github.com/tafc/tafc/cmd/tafc"); err != nil {
			return err
		}
	} else if o.tafc, err = filepath.Abs(o.tafc); err != nil {
		return err
	}
	var report strings.Builder
	fmt.Fprintf(&report, "%d cores, %s/%s, %s, %s; medians of %d rounds in alternation after one to warm up.\n",
		runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), pythonVersion(ctx), o.rounds)
	for _, b := range []struct {
		name string
		run  func(context.Context, options, *strings.Builder) error
	}{{"plan", benchPlan}, {"map", benchMap}} {
		if o.only != "" && o.only != b.name {
			continue
		}
		if err := b.run(ctx, o, &report); err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
	}
	fmt.Print(report.String())
	if o.out == "" {
		return nil
	}
	return os.WriteFile(o.out, []byte("# Results\n\nWritten by `go run ./bench -o` (see README.md).\n\n"+report.String()), 0o644)
}

// unpack writes the analyses and the peer into the folder.
func unpack(dir string) error {
	for _, folder := range []string{"analysis", "peers"} {
		entries, err := files.ReadDir(folder)
		if err != nil {
			return err
		}
		for _, e := range entries {
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
