package s3test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/gofrs/flock"
)

// Build returns the path of the server, which it builds unless the cache has it. The tools module pins the version: when its go.mod,
// its go.sum or Go itself changes, it is built again.
func Build(ctx context.Context) (string, error) {
	tools, err := toolsModule()
	if err != nil {
		return "", err
	}
	digest := sha256.New()
	fmt.Fprintln(digest, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(tools, name))
		if err != nil {
			return "", err
		}
		digest.Write(text)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, "tafc-tests")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	program := filepath.Join(folder, "versitygw-"+hex.EncodeToString(digest.Sum(nil)[:8]))
	lock := flock.New(program + ".lock") // packages are tested at the same time
	if err := lock.Lock(); err != nil {
		return "", err
	}
	defer lock.Unlock()
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program+".new", "github.com/versity/versitygw/cmd/versitygw")
	cmd.Dir = tools
	// The settings of the tests are not those of the server.
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build versitygw: %w\n%s", err, out)
	}
	return program, os.Rename(program+".new", program)
}

// toolsModule is the folder with the module that pins the server.
func toolsModule() (string, error) {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return "", fmt.Errorf("the sources of this test are not known")
	}
	return filepath.Join(filepath.Dir(file), "..", "tools", "versitygw"), nil
}
