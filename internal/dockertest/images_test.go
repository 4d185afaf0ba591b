package dockertest_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/tafc/tafc/internal/dockertest"
)

// TestImages looks into the images of the folder images.
func TestImages(t *testing.T) {
	tool := dockertest.Images(t)
	for name, c := range map[string]struct{ command, want string }{
		"taf-base":   {"taf-mapper -version && ls /etc/ssl/certs/ca-certificates.crt", "spec version 1\n/etc/ssl/certs/ca-certificates.crt\n"},
		"taf-python": {`python3 -c 'import orjson; print(orjson.dumps({"a": 1}).decode())'`, "{\"a\":1}\n"},
		"taf-node":   {`node -e 'console.log(process.versions.node.split(".")[0])'`, "20\n"},
	} {
		ref := name + ":" + dockertest.Tag
		out, err := exec.Command("docker", "run", "--rm", "--network", "none", "--read-only", ref, "sh", "-c", "id -un && touch /taf/out 2>/dev/null; "+c.command).CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "taf\n") || !strings.HasSuffix(string(out), c.want) {
			t.Errorf("%s: %v\n%s\nwant the user taf and %q", name, err, out, c.want)
		}
		img, err := tool.Image(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		for _, label := range []string{"title", "description", "source", "version", "licenses"} {
			if img.Labels["org.opencontainers.image."+label] == "" {
				t.Errorf("%s has no label %s", name, label)
			}
		}
		if img.Labels["org.opencontainers.image.title"] != name {
			t.Errorf("%s calls itself %s", name, img.Labels["org.opencontainers.image.title"])
		}
	}
}
