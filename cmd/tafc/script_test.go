package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tafc/tafc/internal/ledgertest"
)

// The scripts of testdata/script call tafc as a user does. The test binary is tafc, and a task of tafc, under these names.
func TestMain(m *testing.M) {
	if os.Getenv("TAFC_TEST_MAIN") != "" || len(os.Args) == 3 && os.Args[1] == taskVerb {
		main()
	}
	testscript.Main(servers{m}, map[string]func(){"tafc": main, "taf-mapper": mapperMain})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("TAFC_UPDATE") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv("COLUMNS", "100")
			env.Values[deploymentKey{}] = new(deployment)
			env.Defer(func() { ledgertest.Folder(t, env.WorkDir) })
			return nil
		},
		// [exec:python3] and the like must not hide a missing tool where CI demands it.
		Condition: func(cond string) (bool, error) {
			tool, ok := strings.CutPrefix(cond, "tool:")
			if !ok {
				return false, os.ErrInvalid
			}
			if _, err := exec.LookPath(tool); err == nil {
				return true, nil
			}
			if slices.Contains(strings.Split(os.Getenv("TAF_REQUIRE"), ","), tool) {
				t.Fatalf("%s is not installed, and TAF_REQUIRE demands it", tool)
			}
			return false, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": exitCode, "taskcluster": taskclusterCmd},
	})
}

// exitCode runs a command and wants its exit code: code 3 tafc run.
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command [args...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}
