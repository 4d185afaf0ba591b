package local

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/internal/container"
	"github.com/tafc/tafc/runtime/job"
)

func TestShown(t *testing.T) {
	dir := t.TempDir()
	in := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	for _, folder := range []string{"a", "b", "elsewhere"} {
		if err := os.MkdirAll(in(folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(in("elsewhere", "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"a/link": "../b/middle", "b/middle": in("elsewhere", "file"), "a/loop": "loop"} {
		if err := os.Symlink(to, in(link)); err != nil {
			t.Fatal(err)
		}
	}
	var many []string
	for i := range mostMounts + 1 {
		many = append(many, fmt.Sprintf("/data/x%d/file", i))
	}
	for name, c := range map[string]struct{ files, want []string }{
		"nothing":             {nil, []string{}},
		"two in a folder":     {[]string{"/data/x/1", "/data/x/2"}, []string{"/data/x"}},
		"two folders":         {[]string{"/data/x/1", "/data/y/2"}, []string{"/data/x", "/data/y"}},
		"many folders":        {many, []string{"/data"}},
		"what images have":    {[]string{"/usr/share/dict/words", "/file", "/tmp/file", "/tmp/x/file"}, []string{"/file", "/tmp/file", "/tmp/x", "/usr/share/dict/words"}},
		"symbolic links":      {[]string{in("a", "link")}, []string{in("a"), in("b"), in("elsewhere")}},
		"a link in a circle":  {[]string{in("a", "loop")}, []string{in("a")}},
		"a file that is gone": {[]string{in("a", "gone")}, []string{in("a")}},
	} {
		got := shown(c.files)
		slices.Sort(got)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestMounts(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	spec := &job.Spec{
		Code:     &job.Code{Dir: filepath.Dir(path("code/mapper.py"))},
		Files:    []job.File{{URL: "file://" + path("in put/1")}, {URL: "file://" + dir + "/gone/2"}, {URL: "s3://bucket/3"}},
		Upstream: []job.Upstream{{Parts: []job.Part{{Path: path("store/ab/part")}}}},
		Mend:     &job.Report{Quarantine: &job.Quarantine{Path: path("store/cd/quarantine")}, Parts: []job.Part{{Path: path("store/ef/part")}}},
	}
	want := []container.Mount{{Path: "/attempt", Writable: true}}
	for _, name := range []string{"code", "in put", "store/ab", "store/cd", "store/ef"} {
		want = append(want, container.Mount{Path: filepath.Join(dir, name)})
	}
	if diff := cmp.Diff(want, mounts(spec, "/attempt")); diff != "" {
		t.Error(diff)
	}
}

func TestNetwork(t *testing.T) {
	for name, c := range map[string]struct {
		url  string
		s3   *job.S3
		env  map[string]string
		want container.Network
	}{
		"a file":                       {url: "file:///data/x", want: container.NoNetwork},
		"the web":                      {url: "https://example.org/x", want: container.OwnNetwork},
		"a server of this computer":    {url: "http://127.0.0.1:8080/x", want: container.SharedNetwork},
		"by its name":                  {url: "http://localhost/x", want: container.SharedNetwork},
		"S3 of AWS":                    {url: "s3://bucket/x", want: container.OwnNetwork},
		"S3 of this computer":          {url: "s3://bucket/x", s3: &job.S3{Endpoint: "http://[::1]:7070"}, want: container.SharedNetwork},
		"S3 of this computer, by env":  {url: "s3://bucket/x", env: map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, want: container.SharedNetwork},
		"S3 of another, whatever env":  {url: "s3://bucket/x", s3: &job.S3{Endpoint: "https://s3.example.org"}, env: map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, want: container.OwnNetwork},
		"nothing that has no endpoint": {url: "s3://bucket/x", s3: &job.S3{Region: "eu-west-1"}, want: container.OwnNetwork},
	} {
		spec := &job.Spec{Files: []job.File{{URL: c.url}}, S3: c.s3}
		if got := network(spec, func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := network(&job.Spec{}, os.Getenv); got != container.NoNetwork {
		t.Errorf("a task without files: %q", got)
	}
}

func TestForward(t *testing.T) {
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".aws"), 0o755); err != nil {
		t.Fatal(err)
	}
	credentials := filepath.Join(home, ".aws", "credentials")
	if err := os.WriteFile(credentials, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	environ := []string{"HOME=" + home, "AWS_REGION=eu-west-1", "https_proxy=http://proxy:1", "OTHER=x", "TOKEN=of tafc"}
	vars := map[string]string{"TOKEN": "of the stage"}
	files := forward(&job.Spec{Files: []job.File{{URL: "https://example.org/x"}}}, environ, vars)
	if diff := cmp.Diff(map[string]string{"TOKEN": "of the stage", "https_proxy": "http://proxy:1"}, vars); diff != "" || files != nil {
		t.Errorf("files of the web: %v\n%s", files, diff)
	}
	vars = map[string]string{}
	files = forward(&job.Spec{Files: []job.File{{URL: "s3://bucket/x"}}}, environ, vars)
	want := map[string]string{"https_proxy": "http://proxy:1", "AWS_REGION": "eu-west-1", "AWS_SHARED_CREDENTIALS_FILE": credentials}
	if diff := cmp.Diff(want, vars); diff != "" {
		t.Errorf("files of S3:\n%s", diff)
	}
	if diff := cmp.Diff([]string{credentials}, files); diff != "" {
		t.Errorf("files that are shown:\n%s", diff)
	}
}

func TestMemory(t *testing.T) {
	for limit, want := range map[int64]int64{0: 512 << 20, 64 << 20: 512 << 20, 256 << 20: 512 << 20, 1 << 30: 2 << 30} {
		if got := memory(job.Limits{Memory: limit}, leastMemory); got != want {
			t.Errorf("memory of a container for %d bytes: %d, want %d", limit, got, want)
		}
	}
}
