package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// mostBytes is how large the program may be that every image carries and every native task fetches.
const mostBytes = 15_000_000

// The program is built for the computers that workers are, needs nothing of the image that carries it, and stays small.
func TestBuildsSmallAndStatic(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds for two architectures")
	}
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		t.Run(arch, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "taf-mapper")
			build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, ".")
			build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
			if text, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			info, err := os.Stat(out)
			if err != nil {
				t.Fatal(err)
			}
			if info.Size() > mostBytes {
				t.Errorf("it has %d bytes, at most %d are wanted: see what a new import has brought with go build -ldflags=-dumpdep, or go tool nm -size", info.Size(), mostBytes)
			}
			f, err := elf.Open(out)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for _, p := range f.Progs {
				if p.Type == elf.PT_INTERP {
					t.Error("it needs a dynamic linker")
				}
			}
			if libs, err := f.ImportedLibraries(); err == nil && len(libs) > 0 || f.Machine != machine {
				t.Errorf("machine %s, libraries %v", f.Machine, libs)
			}
		})
	}
}
