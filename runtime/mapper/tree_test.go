package mapper_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/runtime/job"
)

func TestTree(t *testing.T) {
	maps := []result{run(t, mapSpec(plan(t, [2]string{"a", "x y\nx\n"}))), run(t, mapSpec(plan(t, [2]string{"b", "z x\n"})))}
	up := []job.Upstream{maps[0].upstream(), maps[1].upstream()}
	spec := func(role job.Role, up []job.Upstream, partitions int) *job.Spec {
		s := &job.Spec{Version: job.Version, Task: string(role), Role: role, Upstream: up, Partitions: partitions}
		if role != job.RoleGather {
			s.Code = &job.Code{Entry: "reducer.py", Language: "python", Contract: "taf"}
		}
		return s
	}
	gather := run(t, spec(job.RoleGather, up, 3))
	if gather.Cause != job.CauseDone || len(gather.Parts) != 3 || gather.Ledger.Records.Emitted != 5 {
		t.Fatalf("%s %+v %+v", gather.Cause, gather.Failure, gather.Ledger)
	}
	for _, from := range [][]job.Upstream{up, {gather.upstream()}, {run(t, spec(job.RoleCombine, up, 2)).upstream()}} {
		r := run(t, spec(job.RoleReduce, from, 1))
		if diff := cmp.Diff("x 3\ny 1\nz 1\n", r.text(t)); diff != "" {
			t.Errorf("%s %+v\n%s", r.Cause, r.Failure, diff)
		}
		if c := r.Covers; c.Files.Done != 2 || c.Records.Read != 3 || r.Ledger.Files.Planned != 0 || r.Ledger.Records.Read != r.Ledger.Records.Mapped {
			t.Errorf("covers %+v, ledger %+v", c, r.Ledger)
		}
	}
	pairsMap := spec(job.RoleMap, up, 1)
	if r := run(t, pairsMap); r.Ledger.Records.Read != 5 || r.text(t) != strings.Repeat("1 1\n", 5) || r.Covers.Records.Read != 3 {
		t.Errorf("map over pairs: %s %+v %s", r.Cause, r.Failure, r.text(t))
	}
	why := "it failed"
	r := run(t, spec(job.RoleReduce, append(up[:1:1], job.Upstream{Task: "map.words[2]", Missing: &why}), 1))
	if r.Cause != job.CauseDone || !r.Partial || !r.Transient {
		t.Errorf("with a missing upstream: %s partial %v transient %v", r.Cause, r.Partial, r.Transient)
	}
}

func TestDamagedUpstream(t *testing.T) {
	for name, damage := range map[string]func(p *job.Part){
		"truncated": func(p *job.Part) { _ = os.Truncate(p.Path, p.Size-5) },
		"pairs":     func(p *job.Part) { p.Pairs++ },
		"digest":    func(p *job.Part) { p.Digest = strings.Repeat("0", 64) },
		"missing":   func(p *job.Part) { _ = os.Remove(p.Path) },
	} {
		for _, role := range []job.Role{job.RoleReduce, job.RoleGather, job.RoleMap} {
			up := run(t, mapSpec(plan(t, [2]string{"a", "x y\nx\n"}))).upstream()
			damage(&up.Parts[0])
			s := &job.Spec{Version: job.Version, Task: "reduce.total", Role: role, Upstream: []job.Upstream{up}, Partitions: 1}
			if role != job.RoleGather {
				s.Code = &job.Code{Entry: "reducer.py", Language: "python", Contract: "taf"}
			}
			want := job.CauseCorrupt
			if name == "missing" {
				want = job.CauseDownload
			}
			if r := run(t, s); r.Cause != want || r.Failure.File != up.Parts[0].Path {
				t.Errorf("%s, %s: %s %+v", name, role, r.Cause, r.Failure)
			}
		}
	}
}

func TestReduceFailsAtKey(t *testing.T) {
	up := run(t, mapSpec(plan(t, [2]string{"a", "die2 die x\n"}))).upstream()
	s := &job.Spec{Version: job.Version, Task: "reduce.total", Role: job.RoleReduce, Upstream: []job.Upstream{up}, Partitions: 1, Code: &job.Code{Entry: "r.py", Contract: "taf"}}
	if r := run(t, s); r.Cause != job.CauseCode || !strings.Contains(r.Failure.Message, `at key "die"`) {
		t.Errorf("%s %+v", r.Cause, r.Failure)
	}
}

func TestResultDoesNotDependOnMemory(t *testing.T) {
	var text strings.Builder
	for i := range 30_000 {
		fmt.Fprintf(&text, "word%d other%d\n", i%977, i%13)
	}
	var digests []string
	for _, memory := range []int64{0, 1 << 20} {
		spec := mapSpec(plan(t, [2]string{"a.gz", text.String()}))
		spec.Limits.Memory, spec.Partitions = memory, 3
		r := run(t, spec)
		if r.Cause != job.CauseDone {
			t.Fatal(r.Failure)
		}
		for _, p := range r.Parts {
			digests = append(digests, p.Digest)
		}
		if spilled := strings.Contains(strings.Join(r.events(t), " "), "spill"); spilled != (memory > 0) {
			t.Errorf("memory %d: spilled %v", memory, spilled)
		}
	}
	if diff := cmp.Diff(digests[:3], digests[3:]); diff != "" {
		t.Error(diff)
	}
}
