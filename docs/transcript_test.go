//go:build unix

package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/internal/ledgertest"
	"github.com/tafc/tafc/internal/require"
)

// TestTranscript types the commands of the console blocks of commands.md, one after the other, and compares what they print.
// A line with nothing but … stands for any lines; times, identities and the order in which tasks end may differ.
func TestTranscript(t *testing.T) {
	require.Tool(t, "python3")
	command(t, "") // builds it
	dir := t.TempDir()
	t.Cleanup(func() { ledgertest.Folder(t, dir) })
	for _, f := range read(t, "commands.md").fences {
		if f.info != "console" {
			continue
		}
		for _, part := range strings.Split("\n"+f.text, "\n$ ")[1:] {
			typed, want, _ := strings.Cut(part, "\n")
			if to, ok := strings.CutPrefix(typed, "cd "); ok {
				dir = filepath.Join(dir, to)
				continue
			}
			c := exec.Command("sh", "-c", typed)
			c.Dir = dir
			c.Env = append(os.Environ(), "PATH="+binDir+":"+os.Getenv("PATH"), "NO_COLOR=1", "COLUMNS=100", "TAF_STATE=")
			out, err := c.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %s: %v\n%s", f, typed, err, out)
				continue
			}
			if !matches(want, string(out)) {
				t.Errorf("%s: %s (-page +printed):\n%s", f, typed, cmp.Diff(steady(want), steady(string(out))))
			}
		}
	}
}

// volatile is what is another at each run.
var volatile = regexp.MustCompile(`[0-9.]+ s\b|\d{8}T[0-9.]+-\d+|\b[0-9a-f]{16}(-[0-9a-f]+)?\b|[0-9.]+ MiB|tafc \S+ \(.*\)`)

// steady are the lines of an output without what is volatile. Lines about tasks that ended are sorted.
func steady(text string) []string {
	lines := strings.Split(strings.Trim(volatile.ReplaceAllString(text, "*"), "\n"), "\n")
	done := func(line string) bool { return strings.HasPrefix(line, "  done ") }
	first := slices.IndexFunc(lines, done)
	if first >= 0 {
		end := first
		for end < len(lines) && done(lines[end]) {
			end++
		}
		slices.Sort(lines[first:end])
	}
	return lines
}

func matches(want, got string) bool {
	lines := steady(want)
	for i, line := range lines {
		lines[i] = regexp.QuoteMeta(line) + "\n"
		if line == "…" {
			lines[i] = `(?:.*\n)*`
		}
	}
	return regexp.MustCompile(`^(?:` + strings.Join(lines, "") + `)$`).MatchString(strings.Join(steady(got), "\n") + "\n")
}
