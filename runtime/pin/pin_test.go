package pin_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tafc/tafc/runtime/pin"
)

func TestETag(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, make([]byte, 300), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{time.Unix(1394236800, 5), time.Unix(-10, 0)} {
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		fi, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if etag := pin.ETag(fi); !pin.IsFile(etag, 300) || pin.IsFile(etag, 301) {
			t.Errorf("IsFile does not know %q", etag)
		}
	}
}

func TestIsFileRefusesOthers(t *testing.T) {
	for _, etag := range []string{"", "-", "12", "d41d8cd98f00b204e9800998ecf8427e-5", "d41d8cd98f00b204e9800998ecf8427e", "xyz-5", "12-05", "12-5-5"} {
		if pin.IsFile(etag, 5) {
			t.Errorf("IsFile(%q, 5) = true", etag)
		}
	}
}
