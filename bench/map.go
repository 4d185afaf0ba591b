package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// benchMap measures a whole run from an empty state, reduce and output included, against xargs over gzip and Python, and checks
// that both count the same.
func benchMap(ctx context.Context, o options, report *strings.Builder) error {
	dir := filepath.Join(o.dir, "analysis")
	data := filepath.Join(dir, "telemetry")
	if _, err := os.Stat(data); err != nil {
		err := command(ctx, ".", "go", "run", "github.com/tafc/tafc/testdata/gen", "-bench", "-files", fmt.Sprint(o.dataFiles), "-o", dir)
		if err != nil {
			return err
		}
	}
	files, stored, err := weigh(data)
	if err != nil {
		return err
	}
	states := filepath.Join(o.dir, "state")
	defer os.RemoveAll(states)
	result := filepath.Join(dir, "result.txt")
	var want, got []byte
	subjects := []*subject{
		{name: "`tafc run`", run: func(round int) (sample, error) {
			state := filepath.Join(states, fmt.Sprintf("map-%d", round))
			s, err := measure(ctx, dir, []string{"TAF_STATE=" + state}, o.tafc, "run", "count.taf.hcl")
			if err != nil {
				return s, err
			}
			if got, err = os.ReadFile(result); err != nil {
				return s, err
			}
			os.RemoveAll(state)
			return s, os.Remove(result)
		}},
	}
	for _, each := range []string{"1", "30"} {
		name := fmt.Sprintf("`xargs -P` over `gzip -dc \\| python3`, %s a process", each)
		subjects = append(subjects, &subject{name: name, run: func(int) (sample, error) {
			s, err := measure(ctx, dir, nil, filepath.Join(o.dir, "peers", "xargs.sh"), data, each)
			want = s.stdout
			return s, err
		}})
	}
	if err := alternate(o.rounds, subjects); err != nil {
		return err
	}
	if !bytes.Equal(want, got) {
		return fmt.Errorf("the results differ\n--- tafc\n%s--- peer\n%s", got, want)
	}
	fmt.Fprintf(report, "\n## Mapping %d .gz files, %.0f MB stored, about %.0f MB of JSON\n\n", files, float64(stored)/1e6, float64(files)*2.5)
	table(report, subjects)
	fmt.Fprintf(report, "Both give the same %d lines.\n", bytes.Count(got, []byte{'\n'}))
	return nil
}

// weigh is how many data files a folder holds and their bytes.
func weigh(root string) (files int, size int64, err error) {
	err = filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".gz") {
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
