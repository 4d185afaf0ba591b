package agent

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/runtime/job"
)

func document() *Document {
	return &Document{
		Version: Version, Run: "20260101T000000-0001", Artifacts: DefaultArtifacts,
		Spec:     job.Spec{Version: job.Version, Task: "reduce.total", Key: "k", Role: job.RoleReduce, Command: []string{"cat"}, Partitions: 1},
		Upstream: []Upstream{{Task: `map.words["1"]`, TaskID: "AAAAAAAAQ7aAAAAAAAAAAA", Of: 1}},
		Secrets:  []Secret{{Env: "TOKEN", Name: "project/taf/token"}},
	}
}

func TestEncodeIsReversed(t *testing.T) {
	d := document()
	text, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.Encode()
	if err != nil || again != text {
		t.Errorf("two texts of one document differ: %v", err)
	}
	got, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, got); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
}

func TestPlaceBySize(t *testing.T) {
	id := func(rng *rand.Rand) string {
		raw := make([]byte, 16)
		for i := range raw {
			raw[i] = byte(rng.Uint32())
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		upstreams int
		env       bool
	}{{1, true}, {1000, true}, {10_000, false}} {
		d := document()
		for i := range c.upstreams {
			d.Upstream = append(d.Upstream, Upstream{Task: fmt.Sprintf("map.m[\"%d\"]", i), TaskID: id(rng)})
		}
		p, err := d.Place()
		if err != nil {
			t.Fatal(err)
		}
		text := p.Env[EnvDocument]
		if c.env != (text != "") || c.env == (p.Extra.Document != "") || !p.Proxy {
			t.Errorf("%d upstreams: %d bytes in the environment, %d in extra, proxy %t", c.upstreams, len(text), len(p.Extra.Document), p.Proxy)
		}
		if got, err := Decode(text + p.Extra.Document); err != nil || len(got.Upstream) != c.upstreams+1 {
			t.Errorf("%d upstreams: decoded with %v", c.upstreams, err)
		}
	}
	huge := document()
	noise := make([]byte, MaxExtra)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	huge.Spec.Env = map[string]string{"NOISE": base64.StdEncoding.EncodeToString(noise)}
	var large *TooLargeError
	if _, err := huge.Place(); !errors.As(err, &large) || large.Max != MaxExtra {
		t.Errorf("more than fits anywhere: %v", err)
	}
	alone := document()
	alone.Upstream, alone.Secrets = nil, nil
	if p, err := alone.Place(); err != nil || p.Proxy {
		t.Errorf("a task that needs nothing wants the proxy: %+v, %v", p, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	pack := func(s string) string { return base64.StdEncoding.EncodeToString(encoder().EncodeAll([]byte(s), nil)) }
	for text, want := range map[string]string{
		"%":                                  "not base64",
		"AAAA":                               "not zstd",
		pack("x"):                            "not JSON",
		pack(`{"version":2,"whatever":1}`):   "has version 2",
		pack(`{"version":1,"whatever":1}`):   "whatever",
		pack(`{"version":1} 2`):              "not JSON",
		pack(`{"version":1,"artifacts":""}`): "artifacts named below",
		pack(`{"version":1,"artifacts":"a","spec":{"code":{}}}`):                                           "without a use",
		pack(`{"version":1,"artifacts":"a","spec":{"code":{}},"code":{}}`):                                 "where the code is",
		pack(`{"version":1,"artifacts":"a","upstream":[{"task":"t","task_id":"x","partition":2,"of":2}]}`): "an input that makes no sense",
		pack(strings.Repeat(" ", maxDecoded+1)):                                                            "larger than",
	} {
		if _, err := Decode(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("decode %.40s: %v, want an error with %q", text, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	text, err := document().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Decode(text)
		if err != nil {
			return
		}
		again, err := d.Encode()
		if err != nil {
			t.Fatalf("a document that was decoded cannot be encoded: %v", err)
		}
		got, err := Decode(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, got); diff != "" {
			t.Errorf("not the same:\n%s", diff)
		}
	})
}
