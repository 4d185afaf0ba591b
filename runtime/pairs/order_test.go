package pairs_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
)

// arranged are the pairs, given as lines of key TAB value, in an order, as text.
func arranged(t testing.TB, form job.Form, o pairs.Order, lines ...string) []string {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	c := pairs.NewCollector(pairs.CollectorOptions{Temp: dir})
	for _, line := range lines {
		if err := c.AddLines(ctx, []byte(line+"\n")); err != nil {
			t.Fatal(err)
		}
	}
	parts, err := c.Write(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	parts[0].Path = dir + "/" + parts[0].Path
	m, err := pairs.Merge(ctx, []pairs.Input{pairs.Part(parts[0])}, dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	src, err := pairs.Arrange(ctx, m, form, o, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var text bytes.Buffer
	if err := pairs.WriteText(&text, form, src); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
}

func TestArrange(t *testing.T) {
	counts := []string{"\"a\"\t10", "\"b\"\t9", "\"c\"\t\"100\"", "\"d\"\t9", "\"e\"", "\"f\"\t\"x\"", "\"g\"\t[1,2]", "\"h\"\t-1.5"}
	tests := []struct {
		name string
		form job.Form
		o    pairs.Order
		in   []string
		want string // keys, or whole lines of FormLines
	}{
		{"as it is", job.FormPairs, pairs.Order{}, counts, "a b c d e f g h"},
		{"top of keys", job.FormPairs, pairs.Order{Top: 3}, counts, "a b c"},
		{"keys from the end", job.FormPairs, pairs.Order{Descending: true, Top: 2}, counts, "h g"},
		{"values", job.FormPairs, pairs.Order{By: "value"}, counts, "e h b d a c f g"},
		{"values from the end", job.FormPairs, pairs.Order{By: "value", Descending: true}, counts, "g f c a b d h e"},
		{"top of values", job.FormPairs, pairs.Order{By: "value", Descending: true, Top: 3}, counts, "g f c"},
		{"more than there are", job.FormPairs, pairs.Order{By: "value", Top: 99}, counts[:2], "b a"},
		{"lines", job.FormLines, pairs.Order{By: "value", Descending: true}, []string{"1\t\"Linux 9\"", "2\t\"WINNT 10\"", "3\t\"Darwin\""}, "WINNT 10|Linux 9|Darwin"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := arranged(t, tt.form, tt.o, tt.in...)
			sep := "|"
			if tt.form == job.FormPairs {
				sep = " "
				for i, line := range got {
					got[i], _, _ = strings.Cut(line, "\t")
				}
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, sep)); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
		})
	}
}

// The first N of an order are the first N of all, and turned around the values come the other way.
func TestArrangeLaws(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		values := rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2", "10", "-3", "0.5", "\"x\"", "null"}), 1, 12).Draw(r, "values")
		var lines []string
		for i, v := range values {
			lines = append(lines, "\""+string(rune('a'+i))+"\"\t"+v)
		}
		n := rapid.IntRange(1, len(lines)).Draw(r, "top")
		all := arranged(t, job.FormPairs, pairs.Order{By: "value"}, lines...)
		if top := arranged(t, job.FormPairs, pairs.Order{By: "value", Top: n}, lines...); !slices.Equal(all[:n], top) {
			r.Fatalf("the first %d of %q are %q", n, all, top)
		}
		turned := arranged(t, job.FormPairs, pairs.Order{By: "value", Descending: true}, lines...)
		slices.Reverse(turned)
		for i := range all {
			_, a, _ := strings.Cut(all[i], "\t")
			_, b, _ := strings.Cut(turned[i], "\t")
			if a != b {
				r.Fatalf("%q turned around is %q", all, turned)
			}
		}
	})
}
