package main

import (
	"debug/elf"
	"os/exec"
	"path/filepath"
	"testing"
)

// The program is built for the computers that workers are, stays small, and needs nothing of the image that carries it.
func TestBuildsSmallAndStatic(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds for two architectures")
	}
	dir := t.TempDir()
	// The script says what is too large.
	if text, err := exec.Command("../../scripts/build-mapper", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		f, err := elf.Open(filepath.Join(dir, "taf-mapper-linux-"+arch))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP {
				t.Errorf("%s: it needs a dynamic linker", arch)
			}
		}
		if libs, err := f.ImportedLibraries(); err == nil && len(libs) > 0 || f.Machine != machine {
			t.Errorf("%s: machine %s, libraries %v", arch, f.Machine, libs)
		}
		f.Close()
	}
}
