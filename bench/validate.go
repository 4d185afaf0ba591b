package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// validateLines is the length of the analysis that is checked.
const validateLines = 200

// benchValidate measures tafc validate of an analysis with code: with what parses remembered, without asking interpreters, and
// with an interpreter to start. The last row is what starting the program costs alone.
func benchValidate(ctx context.Context, o options, report *strings.Builder) error {
	dir := filepath.Join(o.dir, "validate")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text := validateAnalysis()
	for name, content := range map[string]string{
		"long.taf.hcl": text,
		"mapper.py":    "import words\n\n\ndef map(record):\n    yield words.name(record), 1\n",
		"words.py":     "def name(record):\n    return record.key\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	cache := filepath.Join(dir, "cache")
	check := func(fresh bool, args ...string) func(int) (sample, error) {
		return func(int) (sample, error) {
			env := []string{"XDG_CACHE_HOME=" + cache}
			if fresh {
				env[0] += "-fresh"
				if err := os.RemoveAll(cache + "-fresh"); err != nil {
					return sample{}, err
				}
			}
			return measure(ctx, dir, env, o.tafc, args...)
		}
	}
	subjects := []*subject{
		{name: "`tafc validate`, code as it was checked last", run: check(false, "validate", "long.taf.hcl")},
		{name: "`tafc validate -no-interpreters`", run: check(false, "validate", "-no-interpreters", "long.taf.hcl")},
		{name: "`tafc validate`, changed code", run: check(true, "validate", "long.taf.hcl")},
		{name: "`tafc version`", run: check(false, "version")},
	}
	const rounds = 20 // they are short
	if err := alternate(rounds, subjects); err != nil {
		return err
	}
	fmt.Fprintf(report, "\n## Checking an analysis of %d lines\n\n", strings.Count(text, "\n"))
	report.WriteString("| | process time, median | least | wall, median |\n|---|---:|---:|---:|\n")
	for _, s := range subjects {
		least := slices.MinFunc(s.samples, func(a, b sample) int { return int(a.cpu - b.cpu) })
		fmt.Fprintf(report, "| %s | %s | %s | %s |\n", s.name, millis(median(s.samples, cpu)), millis(least.cpu), millis(median(s.samples, wall)))
	}
	fmt.Fprintf(report, "\nProcess time is user and system time of the program and all that it starts; %d rounds.\n", rounds)
	return nil
}

func millis(d time.Duration) string { return fmt.Sprintf("%.0f ms", float64(d.Microseconds())/1000) }

// validateAnalysis is an analysis of validateLines lines, all of them of use.
func validateAnalysis() string {
	text := "index \"telemetry\" {\n  source = \"dir:data\"\n  layout = \"telemetry\"\n}\n\nvariable \"channel\" {\n  default = \"nightly\"\n}\n"
	for i := 1; strings.Count(text, "\n") < validateLines; i++ {
		text += fmt.Sprintf(`
filter "days_%[1]d" {
  where {
    appName          = "Firefox"
    appUpdateChannel = var.channel
    submission_date  = between("201403%02[1]d", "201403%02[1]d")
  }
}

map "count_%[1]d" {
  input = filter.days_%[1]d
  code  = "mapper.py"
}

output "count_%[1]d" {
  value = map.count_%[1]d
}
`, i)
	}
	return text
}
