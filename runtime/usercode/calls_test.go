package usercode_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// callable are reduces of the same behaviour: add up, fail for text, end the process at -666.
var callable = map[string]string{
	"python": `
def setup(context):
    print("ready")

def combine(key, values):
    return sum(values)

def reduce(key, values):
    total = 0
    for v in values:
        if v == -666:
            import os
            os._exit(3)
        if isinstance(v, str):
            raise ValueError("no text")
        total += v
    return total
`,
	"javascript": `
exports.setup = () => console.log('ready');
exports.combine = (key, values) => { let t = 0; for (const v of values) t += v; return t; };
exports.reduce = (key, values) => {
  let total = 0;
  for (const v of values) {
    if (v === -666) process.reallyExit(3);
    if (typeof v === 'string') throw new Error('no text');
    total += v;
  }
  return total;
};
`,
}

func startCalls(t *testing.T, language string, role job.Role) (usercode.Calls, *[]string) {
	t.Helper()
	name := map[string]string{"python": "sum.py", "javascript": "sum.js"}[language]
	var logs []string
	c, err := usercode.StartCalls(t.Context(), usercode.Options{
		Role: role, Code: write(t, language, "taf", name, callable[language]), WorkDir: t.TempDir(),
	}, func(line string) { logs = append(logs, line) })
	if err != nil {
		t.Fatal(err)
	}
	return c, &logs
}

// said is an answer on a line: what it emitted, or why it failed.
func said(answers []usercode.Answer) []string {
	var out []string
	for _, a := range answers {
		if a.Err != nil {
			out = append(out, a.Err.Message)
			continue
		}
		out = append(out, strings.Join(a.Lines, " "))
	}
	return out
}

// The same key may be called again and again, a call that fails is an answer like others, and many calls at once come in order.
func TestCalls(t *testing.T) {
	for language, failure := range map[string]string{"python": "ValueError: no text", "javascript": "Error: no text"} {
		t.Run(language, func(t *testing.T) {
			c, logs := startCalls(t, language, job.RoleReduce)
			got, err := c.Do([]usercode.Call{{`"a"`, []string{"1", "2"}}, {`"a"`, []string{"3"}}, {`"b"`, []string{`"x"`, "1"}}, {`"b"`, []string{"4"}}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"\"a\"\t3", "\"a\"\t3", failure, "\"b\"\t4"}, said(got)); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
			var many []usercode.Call
			var want []string
			for i := range 3000 {
				many = append(many, usercode.Call{Key: `"k"`, Values: []string{fmt.Sprint(i), "1"}})
				want = append(want, fmt.Sprintf("\"k\"\t%d", i+1))
			}
			// One whose values go over several frames.
			many = append(many, usercode.Call{Key: `"long"`, Values: strings.Split(strings.TrimSuffix(strings.Repeat("1000000,", 400_000), ","), ",")})
			want = append(want, "\"long\"\t400000000000")
			got, err = c.Do(many)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, said(got)); diff != "" {
				t.Errorf("many answers (-want +got):\n%s", diff)
			}
			if err := c.Close(); err != nil || c.Form() != job.FormPairs || len(*logs) != 1 {
				t.Errorf("closed with %v, form %s, log %q", err, c.Form(), *logs)
			}
		})
	}
}

func TestCallsOfCombine(t *testing.T) {
	for language := range callable {
		c, _ := startCalls(t, language, job.RoleCombine)
		got, err := c.Do([]usercode.Call{{`["a",1]`, []string{"1", "2"}}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"[\"a\",1]\t3"}, said(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", language, diff)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A process that ends in a call says how, once, and is over.
func TestCallsDie(t *testing.T) {
	for language := range callable {
		c, _ := startCalls(t, language, job.RoleReduce)
		for range 2 {
			_, err := c.Do([]usercode.Call{{`"a"`, []string{"1"}}, {`"b"`, []string{"-666"}}})
			e := userError(t, err)
			contains(t, language, e.Message, "ended by itself (exit status 3)")
			if e.Key != `"b"` {
				t.Errorf("%s died at key %s", language, e.Key)
			}
		}
	}
}

func TestCallsNeedAFunction(t *testing.T) {
	code := write(t, "program", "streaming", "reduce.sh", "cat")
	for _, role := range []job.Role{job.RoleReduce, job.RoleMap} {
		if _, err := usercode.StartCalls(t.Context(), usercode.Options{Role: role, Code: code, WorkDir: t.TempDir()}, nil); err == nil {
			t.Errorf("a streaming %s takes no calls", role)
		}
	}
}
