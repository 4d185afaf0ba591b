package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tafc/tafc/compile"
)

// peer is another program that can say what it would run, with the same tasks over the same files.
type peer struct {
	program, name string
	file          string // what it reads, in the folder peers
	write         func(w *bufio.Writer, g *compile.Graph)
	command       string // for sh; its output is thrown away
	files         bool   // it wants the files to exist
}

// The peers. Two ways to write the same: with the files as dependencies, which is what gives them reasons, and with the keys
// only in the commands, which is the least that could be planned with.
var quickPeers = []peer{
	{"ninja", "`ninja -n`, files as dependencies", "files.ninja", ninjaFiles, "ninja -n -f files.ninja", true},
	{"ninja", "`ninja -n`, keys only in the commands", "keys.ninja", ninjaKeys, "ninja -n -f keys.ninja", false},
	{"make", "`make -n`, files as dependencies", "files.mk", makeFiles, "make -rn -f files.mk", true},
	{"make", "`make -n`, keys only in the commands", "keys.mk", makeKeys, "make -rn -f keys.mk", false},
}

// peers writes what the quick peers read, and tells which are not installed.
func (b *planBench) peers(ctx context.Context) (subjects []*subject, absent []string, err error) {
	for _, p := range quickPeers {
		if !b.o.wants(p.program) {
			continue
		}
		if _, err := exec.LookPath(p.program); err != nil {
			absent = append(absent, fmt.Sprintf("%s: not installed.", p.name))
			continue
		}
		if err := b.prepare(ctx, p); err != nil {
			return nil, nil, err
		}
		subjects = append(subjects, &subject{name: p.name, run: func(int) (sample, error) {
			return measure(ctx, filepath.Join(b.dir, "peers"), nil, "sh", "-c", "exec "+p.command+" >/dev/null")
		}})
	}
	return subjects, absent, nil
}

// prepare writes what a peer reads, once.
func (b *planBench) prepare(ctx context.Context, p peer) error {
	dir := filepath.Join(b.dir, "peers")
	path := filepath.Join(dir, p.file)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	g, err := b.graph(ctx)
	if err != nil {
		return err
	}
	if p.files {
		if err := touchFiles(dir, g); err != nil {
			return err
		}
	}
	if p.program == "snakemake" {
		if err := writeFile(filepath.Join(dir, "inputs.txt"), g, writeInputs); err != nil {
			return err
		}
	}
	return writeFile(path, g, p.write)
}

func writeFile(path string, g *compile.Graph, write func(*bufio.Writer, *compile.Graph)) error {
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	write(w, g)
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// touchFiles makes the files, empty: these programs look at each.
func touchFiles(dir string, g *compile.Graph) error {
	done := filepath.Join(dir, "files-are-there")
	if _, err := os.Stat(done); err == nil {
		return nil
	}
	made := map[string]bool{}
	for _, t := range g.Tasks {
		for _, f := range t.Files.List() {
			path := filepath.Join(dir, f.Key)
			if folder := filepath.Dir(path); !made[folder] {
				if err := os.MkdirAll(folder, 0o755); err != nil {
					return err
				}
				made[folder] = true
			}
			file, err := os.OpenFile(path, os.O_CREATE, 0o644)
			if err != nil {
				return err
			}
			file.Close()
		}
	}
	return os.WriteFile(done, nil, 0o644)
}

// result is the file that a task would make.
func result(t *compile.Task) string {
	return "out/" + strings.NewReplacer("/", "_", "~", "_", "[", "_", "]", "_", `"`, "").Replace(t.Addr.String())
}

// inputsOf are the names of what a task reads.
func inputsOf(t *compile.Task) []string {
	var names []string
	for _, f := range t.Files.List() {
		names = append(names, f.Key)
	}
	for _, u := range t.Upstream {
		names = append(names, result(u.Task))
	}
	return names
}

func ninjaFiles(w *bufio.Writer, g *compile.Graph) {
	fmt.Fprint(w, "rule run\n  command = python3 count.py $in > $out\n  description = $out\n")
	for _, t := range g.Tasks {
		fmt.Fprintf(w, "build %s: run %s\n", result(t), strings.Join(inputsOf(t), " "))
	}
}

func ninjaKeys(w *bufio.Writer, g *compile.Graph) {
	fmt.Fprint(w, "rule run\n  command = python3 count.py $keys $in > $out\n  description = $out\n")
	for _, t := range g.Tasks {
		if t.Files.Len() == 0 {
			fmt.Fprintf(w, "build %s: run %s\n", result(t), strings.Join(inputsOf(t), " "))
			continue
		}
		fmt.Fprintf(w, "build %s: run\n  keys = %s\n", result(t), strings.Join(inputsOf(t), " "))
	}
}

func makeAll(w *bufio.Writer, g *compile.Graph) {
	fmt.Fprint(w, "all:")
	for _, o := range g.Outputs {
		for _, t := range o.Tasks {
			fmt.Fprint(w, " ", result(t))
		}
	}
	fmt.Fprint(w, "\n")
}

func makeFiles(w *bufio.Writer, g *compile.Graph) {
	makeAll(w, g)
	for _, t := range g.Tasks {
		fmt.Fprintf(w, "%s: %s\n\tpython3 count.py $^ > $@\n", result(t), strings.Join(inputsOf(t), " "))
	}
}

func makeKeys(w *bufio.Writer, g *compile.Graph) {
	makeAll(w, g)
	for _, t := range g.Tasks {
		if t.Files.Len() == 0 {
			fmt.Fprintf(w, "%s: %s\n\tpython3 count.py $^ > $@\n", result(t), strings.Join(inputsOf(t), " "))
			continue
		}
		fmt.Fprintf(w, "%s:\n\tpython3 count.py %s > $@\n", result(t), strings.Join(inputsOf(t), " "))
	}
}

// The peers that are run once, for as long as -peer-limit allows.
var lastPeers = []peer{
	{"snakemake", "`snakemake -n`, files as inputs", "Snakefile", snakefile, "snakemake -n --quiet -s Snakefile", true},
	{"terraform", "`terraform plan`, one terraform_data a task with the hash of its batch", "tf/main.tf", terraformFile,
		"cd tf && terraform init >/dev/null && exec terraform plan", false},
}

// slowPeers runs the peers that take too long to be run in every round.
func (b *planBench) slowPeers(ctx context.Context) (lines []string, err error) {
	for _, p := range lastPeers {
		if !b.o.wants(p.program) {
			continue
		}
		if _, err := exec.LookPath(p.program); err != nil {
			lines = append(lines, fmt.Sprintf("%s: not installed.", p.name))
			continue
		}
		if err := os.MkdirAll(filepath.Join(b.dir, "peers", filepath.Dir(p.file)), 0o755); err != nil {
			return nil, err
		}
		if err := b.prepare(ctx, p); err != nil {
			return nil, err
		}
		limited, cancel := context.WithTimeout(ctx, b.o.peerLimit)
		s, err := measure(limited, filepath.Join(b.dir, "peers"), nil, "timeout", fmt.Sprint(int(b.o.peerLimit/time.Second)), "sh", "-c", p.command+" >/dev/null")
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			line, _, _ := strings.Cut(err.Error(), "\n")
			if len(line) > 200 {
				line = line[:200] + "…"
			}
			lines = append(lines, fmt.Sprintf("%s: no plan within %s (%s).", p.name, b.o.peerLimit, line))
		default:
			lines = append(lines, fmt.Sprintf("%s: %s, largest process %.0f MiB, one run.", p.name, seconds(s.wall), mib(s.memory)))
		}
	}
	return lines, nil
}

func snakefile(w *bufio.Writer, g *compile.Graph) {
	var last []string
	for _, o := range g.Outputs {
		for _, t := range o.Tasks {
			last = append(last, fmt.Sprintf("%q", result(t)))
		}
	}
	// One rule with a function for its inputs, as snakemake's manual advises for many jobs; the lists are in a file of their own.
	fmt.Fprint(w, "INPUTS = {}\nfor line in open('inputs.txt'):\n    name, *keys = line.split()\n    INPUTS[name] = keys\n\n")
	fmt.Fprintf(w, "rule all:\n    input: %s\n\n", strings.Join(last, ", "))
	fmt.Fprint(w, "rule run:\n    input: lambda wildcards: INPUTS['out/' + wildcards.name]\n    output: 'out/{name}'\n    shell: 'python3 count.py {input} > {output}'\n")
}

func terraformFile(w *bufio.Writer, g *compile.Graph) {
	fmt.Fprint(w, "locals {\n  batches = {\n")
	for _, t := range g.Tasks {
		fmt.Fprintf(w, "    %q = %q\n", t.Addr.String(), t.InputsDigest)
	}
	fmt.Fprint(w, "  }\n}\n\nresource \"terraform_data\" \"task\" {\n  for_each = local.batches\n  input    = each.value\n}\n")
}

// writeInputs writes the lists that the Snakefile reads.
func writeInputs(w *bufio.Writer, g *compile.Graph) {
	for _, t := range g.Tasks {
		fmt.Fprintf(w, "%s %s\n", result(t), strings.Join(inputsOf(t), " "))
	}
}
