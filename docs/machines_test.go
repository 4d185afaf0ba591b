package docs_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestVagrantfile has Vagrant check the Vagrantfile; without Vagrant, Ruby.
func TestVagrantfile(t *testing.T) {
	var c *exec.Cmd
	if path, err := exec.LookPath("vagrant"); err == nil {
		c = exec.Command(path, "validate", "--ignore-provider")
	} else if path, err := exec.LookPath("ruby"); err == nil {
		c = exec.Command(path, "-c", "Vagrantfile")
	} else {
		t.Skip("neither vagrant nor ruby is installed")
	}
	// Vagrant keeps files beside a Vagrantfile.
	dir := t.TempDir()
	text, err := os.ReadFile("../Vagrantfile")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/Vagrantfile", text, 0o644); err != nil {
		t.Fatal(err)
	}
	c.Dir = dir
	c.Env = append(os.Environ(), "VAGRANT_HOME="+t.TempDir(), "VAGRANT_CHECKPOINT_DISABLE=1", "VAGRANT_CWD="+dir, "TAFC_SHARE="+dir)
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(c.Args, " "), err, out)
	}
}

// TestDevcontainer reads devcontainer.json, whose keys are those of https://containers.dev, and makes sure that its Go is that of go.mod.
func TestDevcontainer(t *testing.T) {
	text, err := os.ReadFile("../.devcontainer/devcontainer.json")
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Name, Image                        string
		Features                           map[string]map[string]any
		OnCreateCommand, PostCreateCommand string
		Customizations                     map[string]any
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mod)) {
		if version, ok := strings.CutPrefix(strings.TrimSpace(line), "go "); ok {
			if series := version[:strings.LastIndex(version, ".")]; !strings.Contains(d.Image, ":"+series+"-") {
				t.Errorf("the image %s does not have Go %s of go.mod", d.Image, series)
			}
		}
	}
}
