package synthetic_test

import (
	"context"
	"testing"

	"github.com/tafc/tafc/bench/internal/synthetic"
	"github.com/tafc/tafc/index"
)

// The keys fit the layout, come in order, and are the same each time.
func TestSource(t *testing.T) {
	layout, err := index.ParseLayout(index.Telemetry)
	if err != nil {
		t.Fatal(err)
	}
	keys := func() (out []string) {
		err := synthetic.New(1000, "file:///nowhere/").Scan(context.Background(), func(f index.File) error {
			out = append(out, string(f.Key))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	one, two := keys(), keys()
	if len(one) != 1000 {
		t.Fatalf("%d keys", len(one))
	}
	for i, key := range one {
		if key != two[i] {
			t.Fatalf("key %d differs between two sources", i)
		}
		if i > 0 && key <= one[i-1] {
			t.Fatalf("%s comes after %s", key, one[i-1])
		}
		if !layout.Match([]byte(key), make([][]byte, len(layout.Dimensions()))) {
			t.Errorf("%s does not fit the layout", key)
		}
	}
}
