package usercode_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// A million values of one key are streamed: the helper's memory does not grow with them.
func TestManyValues(t *testing.T) {
	for language, source := range map[string]string{
		"python": "def reduce(key, values):\n  if key == 'skipped': return 'skipped'\n  n = 0\n  for v in values: n += v['n']\n  return n\n" +
			"def finish(context):\n  try: lines = open('/proc/self/status').readlines()\n  except OSError: return\n  context.count('KiB', [int(l.split()[1]) for l in lines if l.startswith('VmHWM')][0])",
		"javascript": "exports.reduce = (key, values) => { if (key === 'skipped') return 'skipped'; let n = 0; for (const v of values) n += v.n; return n }\n" +
			"exports.finish = (context) => { try { context.count('KiB', Number(/VmHWM:\\s*(\\d+)/.exec(require('fs').readFileSync('/proc/self/status'))[1])) } catch {} }",
	} {
		t.Run(language, func(t *testing.T) {
			o := usercode.Options{Role: job.RoleReduce, Code: write(t, language, "taf", "m"+extension[language], source), Form: job.FormPairs}
			r := &recorder{}
			p, err := start(t, o, r)
			if err != nil {
				t.Fatal(err)
			}
			const each = 1000
			for _, key := range []string{"big", "skipped", "small"} {
				lines := []byte(strings.Repeat(fmt.Sprintf("%q\t{\"n\":2,\"text\":%q}\n", key, strings.Repeat("x", 100)), each))
				for range map[string]int{"big": 1000, "skipped": 1000, "small": 1}[key] {
					if err := p.Pairs(lines); err != nil {
						t.Fatal(err, p.Close())
					}
				}
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			if want := "\"big\"\t2000000\n\"skipped\"\t\"skipped\"\n\"small\"\t2000\n"; r.pairs.String() != want {
				t.Errorf("got %q, want %q", r.pairs.String(), want)
			}
			if len(r.counts) == 0 {
				t.Skip("this system does not tell a process its largest size")
			}
			var size int64 // KiB; PeakMemory would count the size of this process in
			if _, err := fmt.Sscanf(r.counts[0], "KiB %d", &size); err != nil {
				t.Fatal(err)
			}
			if most := map[string]int64{"python": 64 << 10, "javascript": 192 << 10}[language]; size > most || p.PeakMemory() < size<<10/10*9 {
				t.Errorf("%d KiB of memory for two million values; PeakMemory says %d", size, p.PeakMemory()>>10)
			}
		})
	}
}

// Values that are few can be gone through again and counted; many cannot, and the error says so.
func TestValuesTwice(t *testing.T) {
	sources := map[string]map[string]string{
		"python": {
			"twice": "def reduce(k, values):\n  a = sum(values)\n  return [a, sum(values), len(values)]",
			"zip":   "def reduce(k, values):\n  it = iter(values)\n  first = next(it)\n  return [first + sum(it), sum(values), len(values)]",
			"len":   "def reduce(k, values):\n  n = len(values)\n  return [sum(values), sum(1 for _ in values), n]",
		},
		"javascript": {
			"twice": "exports.reduce = (k, values) => { const sum = () => values.reduce((a, b) => a + b, 0); return [sum(), sum(), values.length] }",
			"len":   "exports.reduce = (k, values) => { const n = values.length; return [values.reduce((a, b) => a + b), values.map((x) => x).length, n] }",
		},
	}
	for language, programs := range sources {
		for name, source := range programs {
			t.Run(language+"/"+name, func(t *testing.T) {
				t.Parallel()
				code := write(t, language, "taf", "m"+extension[language], source)
				for _, n := range []int{1, 100_000, 100_001, 300_000} {
					o := usercode.Options{Role: job.RoleReduce, Code: code, Form: job.FormPairs}
					r, _, err := runPairs(t, o, strings.Repeat("\"long key\"\t1\n", n))
					if n > 100_000 && n < 150_000 && err == nil {
						continue // it was in one piece
					}
					if n <= 100_000 {
						if want := fmt.Sprintf("\"long key\"\t[%d,%d,%d]\n", n, n, n); err != nil || r.pairs.String() != want {
							t.Errorf("%d values: %v, %q", n, err, r.pairs.String())
						}
						continue
					}
					e := userError(t, err)
					contains(t, "message", e.Message, "more than 100000")
					if e.Key != `"long key"` || e.Hint == "" {
						t.Errorf("%d values: %+v", n, e)
					}
				}
			})
		}
	}
}

// A block that emits more than is held in memory comes through too, and as a whole.
func TestBlockEmitsMuch(t *testing.T) {
	for language, source := range map[string]string{
		"python":     "def map(r):\n  for i in range(300): yield r.raw, 'x' * 100000\n  if r.raw == '2': raise ValueError",
		"javascript": "exports.map = function* (r) { for (let i = 0; i < 300; i++) yield [r.raw, 'x'.repeat(100000)]; if (r.raw === '2') throw new Error() }",
	} {
		t.Run(language, func(t *testing.T) {
			var size, calls int
			r := &recorder{quiet: true, onPairs: func(lines []byte) error {
				if lines[len(lines)-1] != '\n' || strings.Contains(string(lines[:10]), "2") {
					t.Errorf("a frame of %.20q … %q", lines, lines[len(lines)-1])
				}
				size += len(lines)
				calls++
				return nil
			}}
			p, err := start(t, usercode.Options{Code: write(t, language, "taf", "m"+extension[language], source), Format: "lines"}, r)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := p.Map(block("f", false, "1", "2", "3")); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			if want := 2*2*300*len("\"1\"\t\"\"\n") + 2*2*300*100000; size != want || r.done != 2 || len(r.bad) != 2 {
				t.Errorf("%d bytes in %d calls, want %d; %d blocks done, bad %q", size, calls, want, r.done, r.bad)
			}
		})
	}
}

// Dead programs leave blocks without Done; whoever gives these to another program has each pair once.
func TestRestart(t *testing.T) {
	code := write(t, "python", "taf", "m.py", "import os\ndef map(r):\n  yield r.raw, 1\n  if r.raw == '77' and not os.path.exists('died'):\n    open('died', 'w').close()\n    os._exit(1)")
	work := t.TempDir()
	var blocks []*usercode.Block
	var want strings.Builder
	for i := range 30 {
		blocks = append(blocks, block(fmt.Sprint("f", i), false, fmt.Sprint(4*i), fmt.Sprint(4*i+1), fmt.Sprint(4*i+2), fmt.Sprint(4*i+3)))
		for j := range 4 {
			fmt.Fprintf(&want, "\"%d\"\t1\n", 4*i+j)
		}
	}
	var got strings.Builder
	done := 0
	for starts := 0; done < len(blocks); starts++ {
		if starts == 2 {
			t.Fatal("it died twice")
		}
		r, err := runMap(t, usercode.Options{Code: code, Format: "lines", WorkDir: work}, blocks[done:]...)
		if starts == 0 {
			if e := userError(t, err); e.At == nil || e.At.File != "f19" || e.At.Record != 2 || e.At.Text != "77" || e.Fatal {
				t.Fatalf("%+v", e)
			}
			if r.done != 19 {
				t.Errorf("%d blocks done, want 19", r.done)
			}
		} else if err != nil {
			t.Fatal(err)
		}
		done += r.done
		got.WriteString(r.pairs.String())
	}
	if got.String() != want.String() {
		t.Errorf("got %q", got.String())
	}
}
