package bundle_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/bundle"
)

// tree makes a file system from path → content. A content "-> X" is a symbolic link to X.
func tree(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, content := range files {
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			out[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
			continue
		}
		out[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
	}
	return out
}

func paths(b *bundle.Bundle) []string {
	if b == nil {
		return nil
	}
	var out []string
	for _, f := range b.Files {
		out = append(out, f.Path)
	}
	return out
}

func TestCollectFollowsImports(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		code  []string
		want  []string
	}{
		{"python modules", map[string]string{
			"m.py": "import a, os\nimport b.c as x\nfrom d import (e,\n  f as g)\ndef map(r): pass", "a.py": "import deep", "deep.py": "", "b/__init__.py": "",
			"b/c.py": "from . import sibling\nfrom .other import y", "b/sibling.py": "", "b/other.py": "", "d/__init__.py": "", "d/e.py": "", "unused.py": ""},
			[]string{"m.py"}, []string{"a.py", "b/__init__.py", "b/c.py", "b/other.py", "b/sibling.py", "d/__init__.py", "d/e.py", "deep.py", "m.py"}},
		{"python entry in a folder", map[string]string{"code/m.py": "import h", "code/h.py": "", "h.py": ""},
			[]string{"code/m.py"}, []string{"code/h.py", "code/m.py"}},
		{"python indented and guarded", map[string]string{
			"m.py": "def map(r):\n    import a; import b\ntry:\n    from . import gone\nexcept ImportError: import c\nif 1: import d", "a.py": "", "b.py": "", "c.py": "", "d.py": ""},
			[]string{"m.py"}, []string{"a.py", "b.py", "c.py", "d.py", "m.py"}},
		{"python strings and comments", map[string]string{
			"m.py": "# import a\nx = 'import a'\n\"\"\"\nimport a\nfrom . import a\n\"\"\"\ny = r'\\'; z = f\"{x}\" \\\n  # no\nraise X from None", "a.py": ""},
			[]string{"m.py"}, []string{"m.py"}},
		{"python star of a package", map[string]string{"m.py": "from p import *", "p/__init__.py": "__all__ = ['a']", "p/a.py": "", "p/data.txt": ""},
			[]string{"m.py"}, []string{"m.py", "p/__init__.py", "p/a.py"}},
		{"python folder without __init__", map[string]string{"m.py": "import p.a\nfrom q import b", "p/a.py": "", "q/b.py": "", "q/c.py": ""},
			[]string{"m.py"}, []string{"m.py", "p/a.py", "q/b.py"}},
		{"javascript", map[string]string{
			"m.js":  "const a = require('./a')\nrequire(\"./lib\"); const p = require('path'), d = require('./data.json')\n// require('./no')\nconst s = \"require('./no')\"; /require('.\\/no')/.test(s)\nimport('./dyn.mjs')",
			"a.js":  "module.exports = require(`./b.cjs`)",
			"b.cjs": "", "lib/index.js": "require('../up')", "up.js": "", "data.json": "{}", "dyn.mjs": "import {x,\n y} from './e.mjs'\nexport * from './f.mjs'\nimport './g.mjs'", "e.mjs": "", "f.mjs": "", "g.mjs": "", "no.js": ""},
			[]string{"m.js"}, []string{"a.js", "b.cjs", "data.json", "dyn.mjs", "e.mjs", "f.mjs", "g.mjs", "lib/index.js", "m.js", "up.js"}},
		{"package.json", map[string]string{"code/m.js": "import './x/'", "package.json": `{"type":"module"}`, "code/x/package.json": `{"main":"lib/main"}`, "code/x/lib/main.js": ""},
			[]string{"code/m.js"}, []string{"code/m.js", "code/x/lib/main.js", "code/x/package.json", "package.json"}},
		{"javascript guarded", map[string]string{"m.js": "try { require('./gone') } catch (e) { require('./a') }", "a.js": ""},
			[]string{"m.js"}, []string{"a.js", "m.js"}},
		{"template with code inside", map[string]string{"m.js": "const s = `a ${ {b: `${require('./a')}`} } require('./no')`; require('./b')", "a.js": "", "b.js": ""},
			[]string{"m.js"}, []string{"a.js", "b.js", "m.js"}},
		{"files, folders and globs", map[string]string{"m.sh": "#!/bin/sh", "d/x": "", "d/e/y": "", "d/__pycache__/m.pyc": "", ".git/config": "", "g/1.txt": "", "g/h/2.txt": "", "g/3.csv": ""},
			[]string{"m.sh", "d", "g/**/*.txt"}, []string{"d/e/y", "d/x", "g/1.txt", "g/h/2.txt", "m.sh"}},
		{"listed modules bring theirs", map[string]string{"m.py": "", "plug/a.py": "from . import gone\nimport h", "h.py": ""},
			[]string{"m.py", "plug/*.py"}, []string{"h.py", "m.py", "plug/a.py"}},
		{"links inside", map[string]string{"m.py": "-> real/impl.py", "real/impl.py": "import h", "h.py": "-> real/h.py", "real/h.py": "", "l": "-> real", "real/loop": "-> ../real"},
			[]string{"m.py", "l"}, []string{"h.py", "l/h.py", "l/impl.py", "m.py"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, problems := bundle.Collect(tree(tt.files), tt.code)
			if len(problems) > 0 {
				t.Fatalf("problems: %v", problems)
			}
			if diff := cmp.Diff(tt.want, paths(b)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCollectProblems(t *testing.T) {
	big := strings.Repeat("x", bundle.MaxSize)
	tests := []struct {
		name  string
		files map[string]string
		code  []string
		want  []string // code path:line
	}{
		{"nothing", nil, nil, []string{"bundle/missing-file :0"}},
		{"no entry", nil, []string{"m.py"}, []string{"bundle/missing-file m.py:0"}},
		{"entry is a folder", map[string]string{"d/m.py": ""}, []string{"d"}, []string{"bundle/missing-file d:0"}},
		{"outside", map[string]string{"m.py": ""}, []string{"m.py", "../x", "/etc/passwd", "a/../../x"}, []string{"bundle/outside ../x:0", "bundle/outside /etc/passwd:0", "bundle/outside a/../../x:0"}},
		{"empty path", map[string]string{"m.py": ""}, []string{"m.py", ""}, []string{"bundle/outside :0"}},
		{"glob without match", map[string]string{"m.py": ""}, []string{"m.py", "*.txt"}, []string{"bundle/missing-file *.txt:0"}},
		{"broken glob", map[string]string{"m.py": ""}, []string{"m.py", "[a"}, []string{"bundle/bad-glob [a:0"}},
		{"python relative", map[string]string{"m.py": "\nfrom .gone import x\nfrom . import y", "p/__init__.py": ""}, []string{"m.py"},
			[]string{"bundle/missing-import m.py:2", "bundle/missing-import m.py:3"}},
		{"python too many dots", map[string]string{"c/m.py": "import p.a", "c/p/__init__.py": "", "c/p/a.py": "from ....x import y"}, []string{"c/m.py"}, []string{"bundle/outside c/p/a.py:1"}},
		{"javascript", map[string]string{"m.js": "\n\nrequire('./gone')\nimport x from '../../y'\nrequire('/abs')"}, []string{"m.js"},
			[]string{"bundle/missing-import m.js:3", "bundle/outside m.js:4", "bundle/outside m.js:5"}},
		{"link outside", map[string]string{"m.py": "-> ../secret.py"}, []string{"m.py"}, []string{"bundle/outside m.py:0"}},
		{"link to an absolute path", map[string]string{"m.py": "", "d/x": "-> /etc/passwd"}, []string{"m.py", "d"}, []string{"bundle/outside d/x:0"}},
		{"link loop", map[string]string{"m.py": "-> m.py"}, []string{"m.py"}, []string{"bundle/unreadable m.py:0"}},
		{"too large", map[string]string{"m.py": "1", "big/a": big, "big/b": "x"}, []string{"m.py", "big"}, []string{"bundle/too-large big/a:0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, problems := bundle.Collect(tree(tt.files), tt.code)
			if b != nil {
				t.Errorf("got a bundle of %v", paths(b))
			}
			var got []string
			for _, p := range problems {
				line := 0
				if p.Line > 0 {
					line = p.Line
				}
				got = append(got, p.Code+" "+p.Path+":"+string(rune('0'+line)))
				if p.Summary == "" || p.Detail == "" {
					t.Errorf("a problem without words: %+v", p)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s\n%v", diff, problems)
			}
		})
	}
}

func TestDigestChangesWithContentOnly(t *testing.T) {
	base := tree(map[string]string{"m.py": "import a", "a.py": "1", "b.py": ""})
	digest := func(fsys fs.FS, code ...string) string {
		b, problems := bundle.Collect(fsys, code)
		if b == nil {
			t.Fatal(problems)
		}
		return b.Digest()
	}
	want := digest(base, "m.py", "b.py")
	if got := digest(base, "./m.py", "b.py", "a.py"); got != want {
		t.Error("naming an imported file changes the digest")
	}
	if digest(base, "b.py", "m.py") == want {
		t.Error("another entry has the same digest")
	}
	changed := tree(map[string]string{"m.py": "import a", "a.py": "2", "b.py": ""})
	if digest(changed, "m.py", "b.py") == want {
		t.Error("another import has the same digest")
	}
	executable := tree(map[string]string{"m.py": "import a", "a.py": "1", "b.py": ""})
	executable["b.py"].Mode = 0o755
	if digest(executable, "m.py", "b.py") == want {
		t.Error("an executable bit does not change the digest")
	}
}

func TestOrderOfListDoesNotMatter(t *testing.T) {
	files := tree(map[string]string{"m.py": "import a", "a.py": "", "b.py": "import c", "c.py": "", "d/x.txt": "", "d/y.txt": "", "e.js": "require('./f')", "f.js": ""})
	all := []string{"a.py", "b.py", "d", "d/x.txt", "d/*.txt", "e.js", "c.py"}
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SliceOfDistinct(rapid.SampledFrom(all), rapid.ID[string]).Draw(t, "code")
		shuffled := rapid.Permutation(some).Draw(t, "shuffled")
		one, p1 := bundle.Collect(files, append([]string{"m.py"}, some...))
		two, p2 := bundle.Collect(files, append([]string{"m.py"}, shuffled...))
		if one == nil || two == nil {
			t.Fatal(p1, p2)
		}
		if one.Digest() != two.Digest() {
			t.Fatalf("%v and %v differ", some, shuffled)
		}
	})
}

func TestJSONRoundTrip(t *testing.T) {
	b, problems := bundle.Collect(tree(map[string]string{"m.py": "def map(r): pass", "bin": "\x00\xff"}), []string{"m.py", "bin"})
	if b == nil {
		t.Fatal(problems)
	}
	data, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	var back bundle.Bundle
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*b, back); diff != "" {
		t.Error(diff)
	}
	for _, broken := range []string{
		strings.Replace(string(data), `"m.py","digest":"`, `"m.py","digest":"0`, 1),
		strings.Replace(string(data), `"path":"bin"`, `"path":"../bin"`, 1),
		strings.Replace(string(data), `"entry":"m.py"`, `"entry":"x.py"`, 1),
	} {
		if err := json.Unmarshal([]byte(broken), &back); err == nil {
			t.Errorf("accepted %s", broken)
		}
	}
}

func TestWriteTo(t *testing.T) {
	files := tree(map[string]string{"m.sh": "#!/bin/sh\n", "d/e/x": "data"})
	files["m.sh"].Mode = 0o755
	b, problems := bundle.Collect(files, []string{"m.sh", "d"})
	if b == nil {
		t.Fatal(problems)
	}
	dir := filepath.Join(t.TempDir(), "code")
	for range 2 { // the second time over what is there
		if err := b.WriteTo(dir); err != nil {
			t.Fatal(err)
		}
	}
	again, problems := bundle.Collect(os.DirFS(dir), []string{"m.sh", "d"})
	if again == nil {
		t.Fatal(problems)
	}
	if filepath.Separator == '/' && again.Digest() != b.Digest() {
		t.Error("what was written has another digest")
	}
}

// The same rules hold for folders on a disk.
func TestCollectFollowsLinksOnDisk(t *testing.T) {
	dir := t.TempDir()
	for _, step := range []error{
		os.WriteFile(filepath.Join(dir, "impl.py"), []byte("def map(r): pass"), 0o644),
		os.Symlink("impl.py", filepath.Join(dir, "inside.py")),
		os.Symlink(filepath.Join(t.TempDir(), "x.py"), filepath.Join(dir, "outside.py")),
	} {
		if step != nil {
			t.Skip("no symbolic links here:", step)
		}
	}
	if b, problems := bundle.Collect(os.DirFS(dir), []string{"inside.py"}); b == nil || b.Functions["map"].Params != 1 {
		t.Errorf("a link inside: %v %v", b, problems)
	}
	_, problems := bundle.Collect(os.DirFS(dir), []string{"outside.py"})
	if len(problems) != 1 || problems[0].Code != "bundle/outside" {
		t.Errorf("a link outside: %v", problems)
	}
}
