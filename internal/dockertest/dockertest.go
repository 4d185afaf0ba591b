package dockertest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gofrs/flock"

	"github.com/tafc/tafc/internal/container"
)

// Debian is the name of the image that all others stand on, Tag that of the images of the folder images.
const (
	Debian = "tafc-test/debian:trixie"
	Tag    = "tafc-test"
)

// Tool returns Docker. Where no daemon answers the test is skipped with the reason, or fails when TAF_REQUIRE names docker.
func Tool(t testing.TB) *container.Tool {
	t.Helper()
	tool, err := container.Open(t.Context(), container.Docker)
	if err == nil {
		return tool
	}
	miss(t, err)
	return nil
}

func miss(t testing.TB, err error) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("TAF_REQUIRE"), ","), "docker") {
		t.Fatalf("%v, and TAF_REQUIRE demands it", err)
	}
	t.Skip(err)
}

// Images returns Docker once it has taf-base, taf-python and taf-node under Tag, made from the Dockerfiles of the folder images and the taf-mapper
// of these sources.
func Images(t testing.TB) *container.Tool {
	t.Helper()
	tool := Tool(t)
	if os.Getuid() != 0 && !has(tool, Debian) {
		miss(t, fmt.Errorf("the image %s is not there, and only root can make it", Debian))
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
	return tool
}

// Mapper returns the path of the taf-mapper of these sources, for the architecture of this computer.
func Mapper(t testing.TB) string {
	t.Helper()
	return filepath.Join(root(), MapperPath(t))
}

// MapperPath is Mapper from the root of the repository.
func MapperPath(t testing.TB) string {
	t.Helper()
	if err := mapper(); err != nil {
		t.Fatal(err)
	}
	return mapperPath
}

func has(tool *container.Tool, name string) bool {
	_, err := tool.Image(context.Background(), name)
	return err == nil
}

var mapperPath = filepath.Join("dist", "taf-mapper-linux-"+runtime.GOARCH)

var mapper = sync.OnceValue(func() error {
	return locked(func() error { return run("scripts/build-mapper", "dist", runtime.GOARCH) })
})

var build = sync.OnceValue(func() error {
	if err := mapper(); err != nil {
		return err
	}
	return locked(func() error {
		if err := debian(); err != nil {
			return err
		}
		return run("scripts/build-images", "DEBIAN="+Debian, "GO="+Debian, "MAPPER="+mapperPath, "TAG="+Tag, "BUILD_ARGS=--network host")
	})
})

// debian makes the image that the others stand on.
func debian() error {
	if run("docker", "image", "inspect", Debian) == nil {
		return nil
	}
	dir, err := os.MkdirTemp("", "tafc-debian-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := run("debootstrap", "--variant=minbase", "trixie", dir); err != nil {
		return err
	}
	return run("sh", "-c", "tar -C "+dir+" -c . | docker import - "+Debian)
}

// locked keeps packages that are tested at the same time from doing the same.
func locked(do func() error) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	folder := filepath.Join(cache, "tafc-tests")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(folder, "images.lock"))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer lock.Unlock()
	return do()
}

func run(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = root()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, said.Bytes())
	}
	return nil
}

// root is the folder of the repository.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}
