package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tafc/tafc/internal/dockertest"
)

// The scripts of testdata/container need a Docker daemon.
func TestContainerScripts(t *testing.T) {
	dockertest.Images(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/container",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv("COLUMNS", "100")
			env.Setenv("TAFC_MAPPER", dockertest.Mapper(t))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": exitCode},
	})
}
