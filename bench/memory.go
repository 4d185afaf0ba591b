package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tafc/tafc/internal/cgroup"
)

// memoryLimit is what the programs of a run may take together, tafc itself included.
const memoryLimit = 512 << 20

// benchMemory counts many distinct keys with programs that the kernel kills when they take more than memoryLimit: with an operation, with Python, and
// with sort and uniq. All must give the same.
func benchMemory(ctx context.Context, o options, report *strings.Builder) error {
	dir := filepath.Join(o.dir, "analysis")
	keys := o.memoryKeys / 1000 * 1000
	if err := makeDistinct(filepath.Join(dir, "keys"), keys); err != nil {
		return err
	}
	sums := map[string]string{}
	var subjects []*subject
	limited := func(word, name, result, line string) {
		if o.memorySubjects != "" && !slices.Contains(strings.Split(o.memorySubjects, ","), word) {
			return
		}
		subjects = append(subjects, &subject{name: name, run: func(round int) (sample, error) {
			group, err := cgroup.New(fmt.Sprintf("tafc-bench-%d-%d", os.Getpid(), len(sums)), memoryLimit)
			if err != nil {
				return sample{}, err
			}
			defer group.Close()
			state := filepath.Join(o.dir, "state")
			defer os.RemoveAll(state)
			env := []string{"TAF_STATE=" + state, "LC_ALL=C", "TMPDIR=" + o.dir}
			s, err := measure(ctx, dir, env, "sh", "-c", group.Enter()+" && "+line)
			if err != nil {
				return s, fmt.Errorf("%w (the kernel killed %d processes for want of memory)", err, group.Kills())
			}
			if n := group.Kills(); n > 0 {
				return s, fmt.Errorf("the kernel killed %d processes for want of memory", n)
			}
			sum, err := digest(filepath.Join(dir, result))
			sums[name] = sum
			return s, err
		}})
	}
	tafc := o.tafc + " run -workers 1 "
	limited("operation", "`tafc run`, `count_by` and a reduce", "keys.txt", tafc+"countkeys.taf.hcl")
	limited("python", "`tafc run`, Python that emits the keys, and a reduce in Python", "keys.txt", tafc+"keys.taf.hcl")
	limited("partitions", "the same with 8 partitions", "keys.txt", tafc+"-var partitions=8 keys.taf.hcl")
	limited("sort", "`sort \\| uniq -c` of the keys alone", "sorted.txt",
		`cat keys/records/*.jsonl | cut -c7-22 | sort -S 256M --parallel=1 | uniq -c | awk '{ print $2 "\t" $1 }' > sorted.txt`)
	if len(subjects) == 0 {
		return fmt.Errorf("-memory-subjects are operation, python, partitions and sort")
	}
	for _, s := range subjects {
		for round := range o.rounds {
			got, err := s.run(round)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			s.samples = append(s.samples, got)
		}
	}
	for name, sum := range sums {
		if sum != sums[subjects[len(subjects)-1].name] {
			return fmt.Errorf("%s gives another result than the last", name)
		}
	}
	fmt.Fprintf(report, "\n## %d distinct keys in 512 MiB\n\n", keys)
	table(report, subjects)
	fmt.Fprintf(report, "The limit is set by the kernel for all processes of a run together (a control group without swap; it counts the cache of files too, which can be dropped); no process was killed.%s\n", map[bool]string{true: " All give the same lines."}[len(subjects) > 1])
	return nil
}

// makeDistinct writes the same keys as records of JSON and as numbers of which keys are made, in 8 files each.
func makeDistinct(dir string, keys int) error {
	made := filepath.Join(dir, fmt.Sprintf("made-%d", keys))
	if _, err := os.Stat(made); err == nil {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	const files = 8
	for f := range files {
		from, to := keys/1000*f/files, keys/1000*(f+1)/files
		err := writeLines(filepath.Join(dir, "numbers", fmt.Sprintf("%d.txt", f)), func(w *bufio.Writer) {
			for i := from; i < to; i++ {
				fmt.Fprintf(w, "%d\n", i)
			}
		})
		if err != nil {
			return err
		}
		err = writeLines(filepath.Join(dir, "records", fmt.Sprintf("%d.jsonl", f)), func(w *bufio.Writer) {
			for i := from * 1000; i < to*1000; i++ {
				fmt.Fprintf(w, "{\"k\":\"%016x\"}\n", uint64(i)*11400714819323198485)
			}
		})
		if err != nil {
			return err
		}
	}
	return os.WriteFile(made, nil, 0o644)
}

func writeLines(path string, fill func(*bufio.Writer)) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	fill(w)
	if err := w.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
