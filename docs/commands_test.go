package docs_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tafc is the command, built once. The folder is removed with the process' temporary files by TestMain.
var tafc = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(binDir, "tafc")
	out, err := exec.Command("go", "build", "-o", bin, "../cmd/tafc").CombinedOutput()
	if err != nil {
		return string(out), err
	}
	return bin, nil
})

var binDir string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if binDir, err = os.MkdirTemp("", "tafc-docs-"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(binDir)
	return m.Run()
}

// command is a command of tafc that works in a folder.
func command(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	bin, err := tafc()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, bin)
	}
	c := exec.Command(bin, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "NO_COLOR=1", "COLUMNS=100", "TAF_STATE=")
	return c
}

func output(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := command(t, dir, args...).Output()
	if err != nil {
		t.Fatalf("tafc %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// TestCommands compares the sections of commands.md with what -help says: the commands, and the flags of each.
func TestCommands(t *testing.T) {
	p := read(t, "commands.md")
	commands := slices.DeleteFunc(subcommands(t), func(c string) bool { return c == "help" })
	var documented []string
	for _, m := range regexp.MustCompile(`(?m)^## tafc (.+)$`).FindAllStringSubmatch(p.text, -1) {
		documented = append(documented, m[1])
	}
	if diff := cmp.Diff(commands, slices.Sorted(slices.Values(documented))); diff != "" {
		t.Errorf("commands (-tafc +page):\n%s", diff)
	}
	for _, name := range documented {
		if name == "completion" {
			continue // cobra's own
		}
		help := output(t, "", append(strings.Fields(name), "-help")...)
		if diff := cmp.Diff(helpFlags(help), pageFlags(p.section(t, "tafc "+name))); diff != "" {
			t.Errorf("flags of %s (-tafc +page):\n%s", name, diff)
		}
	}
}

// subcommands are the commands that -help lists, those of index and image in two words.
func subcommands(t *testing.T) []string {
	var out []string
	for _, parent := range []string{"", "index", "image"} {
		help := output(t, "", append(strings.Fields(parent), "-help")...)
		_, list, _ := strings.Cut(help, "Available Commands:\n")
		list, _, _ = strings.Cut(list, "\n\n")
		for line := range strings.Lines(list) {
			if name := strings.Fields(line)[0]; name != "index" && name != "image" {
				out = append(out, strings.TrimSpace(parent+" "+name))
			}
		}
	}
	slices.Sort(out)
	return out
}

func helpFlags(help string) []string {
	_, list, _ := strings.Cut(help, "\nFlags:\n")
	var flags []string
	for _, m := range regexp.MustCompile(`(?m)^ *(?:-([a-z]), )?--([a-z-]+)`).FindAllStringSubmatch(list, -1) {
		if m[2] == "help" {
			continue
		}
		flags = append(flags, "-"+m[2])
		if m[1] != "" {
			flags = append(flags, "-"+m[1])
		}
	}
	slices.Sort(flags)
	return slices.Compact(flags) // -n is both long and short
}

// pageFlags are the flags in the table of a section and in its line that begins with Also, up to a semicolon.
func pageFlags(section string) []string {
	var words []string
	for _, row := range rows(section) {
		words = append(words, codeIn(row[0])...)
	}
	for line := range strings.Lines(section) {
		if also, ok := strings.CutPrefix(line, "Also "); ok {
			also, _, _ = strings.Cut(also, ";")
			words = append(words, codeIn(also)...)
		}
	}
	var flags []string
	for _, w := range words {
		if name := strings.Fields(w)[0]; strings.HasPrefix(name, "-") {
			flags = append(flags, name)
		}
	}
	slices.Sort(flags)
	return flags
}

// TestSharedFlags makes sure that the flags that sections only name are described.
func TestSharedFlags(t *testing.T) {
	p := read(t, "commands.md")
	described := pageFlags(p.section(t, "Flags of several commands"))
	for _, m := range regexp.MustCompile(`(?m)^Also (.*)$`).FindAllStringSubmatch(p.text, -1) {
		for _, flag := range codeIn(m[1]) {
			if !slices.Contains(described, flag) && flag != "-workers" {
				t.Errorf("%s is not described among the flags of several commands", flag)
			}
		}
	}
}

// decode is the JSON that a command prints.
func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}
