package docs_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tafc/tafc/internal/dockertest"
)

// TestTranscriptOfImages types the commands of images/README.md, one after the other. Images stand on a Debian of debootstrap, and have names that are
// the tests' own.
func TestTranscriptOfImages(t *testing.T) {
	dockertest.Images(t)
	command(t, "") // builds it
	script := "set -eux\n"
	for _, f := range read(t, "../images/README.md").fences {
		if f.info == "sh" {
			script += f.text + "\n"
		}
	}
	for _, name := range []string{"FROM taf-python\n", `"pages:1"`} {
		if !strings.Contains(script, name) {
			t.Fatalf("no command says %s", name)
		}
	}
	script = strings.NewReplacer("FROM taf-python\n", "FROM taf-python:"+dockertest.Tag+"\n", `"pages:1"`, `"tafc-test/pages:1"`).Replace(script)
	// The same again, in containers and without: what a result is made of and the result do not depend on that. A replay runs in the image.
	script += `
tafc run | grep -F 'Nothing to do' || tafc plan
tafc output > contained.txt
tafc run -container docker
tafc replay reduce.pages
ls .taf/runs/*/*/*/container.json .taf/runs/*/*/container.json 2>/dev/null | head -1
tafc run -container none
tafc run -container none -state other
tafc output -state other > alone.txt
cmp contained.txt alone.txt && echo same bytes
[ -z "$(docker ps --all --quiet --filter "label=org.tafc.state=$PWD/.taf" --filter "label=org.tafc.replay=$PWD/.taf")" ] && echo nothing left
`
	c := exec.Command("bash", "-c", script)
	c.Dir = ".."
	c.Env = append(os.Environ(), "PATH="+binDir+":"+os.Getenv("PATH"), "NO_COLOR=1", "COLUMNS=100", "TAF_STATE=", "TMPDIR="+t.TempDir(),
		"DEBIAN="+dockertest.Debian, "GO="+dockertest.Debian, "MAPPER="+dockertest.MapperPath(t), "TAG="+dockertest.Tag)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"image.pages  tafc-test/pages:1  sha256:", "output pages", `"pages": {`, "container.json", "byte by byte", "same bytes\n", "nothing left\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the commands do not print %q:\n%s", want, out)
		}
	}
}
