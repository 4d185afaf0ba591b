package usercode_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"testing"

	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// records are about size bytes of telemetry records of about 10 KB, in blocks of a megabyte.
func records(size int) []*usercode.Block {
	random := rand.New(rand.NewPCG(1, 2))
	var blocks []*usercode.Block
	b := &usercode.Block{}
	for total := 0; total < size; {
		if len(b.Data) == 0 {
			b = &usercode.Block{File: "f", First: 1, Lines: true, Keyed: true}
			blocks = append(blocks, b)
		}
		start := len(b.Data)
		b.Data = fmt.Appendf(b.Data, "%016x%016x\t{\"ver\":2,\"info\":{\"OS\":%q,\"appVersion\":%d},\"histograms\":{", random.Uint64(), random.Uint64(), []string{"WINNT", "Linux", "Darwin"}[random.IntN(3)], random.IntN(30))
		for h := range 60 {
			if h > 0 {
				b.Data = append(b.Data, ',')
			}
			b.Data = fmt.Appendf(b.Data, "\"HISTOGRAM_%d\":[", h)
			for range 30 {
				b.Data = fmt.Appendf(b.Data, "%d,", random.IntN(100)*random.IntN(1000))
			}
			b.Data = append(b.Data, "-1]"...)
		}
		b.Data = append(b.Data, "}}\n"...)
		b.Offsets = append(b.Offsets, int64(total))
		b.Ends = append(b.Ends, len(b.Data)-1)
		total += len(b.Data) - start
		if len(b.Data) >= 1<<20 {
			b = &usercode.Block{}
		}
	}
	return blocks
}

const benchSize = 100 << 20

// What the same counting costs with a loop over standard input, and through this package: the difference is the overhead.
func BenchmarkCount(b *testing.B) {
	blocks := records(benchSize)
	size := 0
	for _, block := range blocks {
		size += len(block.Data)
	}
	plain := map[string][]string{
		"python": {"python3", "-c", `
import sys, json
counts = {}
for line in sys.stdin.buffer:
    value = json.loads(line.split(b"\t", 1)[1])
    key = value["info"]["OS"]
    counts[key] = counts.get(key, 0) + 1
print(counts)`},
		"javascript": {"node", "-e", `
const counts = {};
let rest = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop();
  for (const line of lines) {
    const key = JSON.parse(line.slice(line.indexOf('\t') + 1)).info.OS;
    counts[key] = (counts[key] || 0) + 1;
  }
});
process.stdin.on('end', () => console.log(counts));`},
	}
	sources := map[string]string{
		"python":     "def map(record):\n  yield record.value['info']['OS'], 1",
		"javascript": "exports.map = function* (record) { yield [record.value.info.OS, 1] }",
	}
	for _, language := range []string{"python", "javascript"} {
		b.Run(language+"/plain", func(b *testing.B) {
			require.Tool(b, tools[language])
			b.SetBytes(int64(size))
			for range b.N {
				cmd := exec.Command(plain[language][0], plain[language][1:]...)
				var out bytes.Buffer
				cmd.Stdout = &out
				in, err := cmd.StdinPipe()
				if err != nil {
					b.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					b.Fatal(err)
				}
				for _, block := range blocks {
					if _, err := in.Write(block.Data); err != nil {
						b.Fatal(err)
					}
				}
				in.Close()
				if err := cmd.Wait(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(language+"/taf", func(b *testing.B) {
			code := write(b, language, "taf", "m"+extension[language], sources[language])
			b.SetBytes(int64(size))
			for range b.N {
				benchMap(b, usercode.Options{Role: job.RoleMap, Code: code, Format: "telemetry"}, blocks)
			}
		})
	}
}

func benchMap(b *testing.B, o usercode.Options, blocks []*usercode.Block) {
	r := &recorder{quiet: true}
	p, err := start(b, o, r)
	if err != nil {
		b.Fatal(err)
	}
	for _, block := range blocks {
		if err := p.Map(block); err != nil {
			b.Fatal(p.Close())
		}
	}
	if err := p.Close(); err != nil || r.done != len(blocks) || len(r.bad) > 0 {
		b.Fatal(err, r.bad)
	}
}

// Short records show what a record costs.
func BenchmarkShortRecords(b *testing.B) {
	var lines []string
	for i := range 20_000 {
		lines = append(lines, fmt.Sprintf("id-%d\t{\"n\":%d,\"os\":\"WINNT\"}", i, i))
	}
	blocks := make([]*usercode.Block, 20)
	for i := range blocks {
		blocks[i] = block("f", true, lines...)
	}
	for language, source := range map[string]string{
		"python":     "def map(record):\n  yield record.value['os'], 1",
		"javascript": "exports.map = function* (record) { yield [record.value.os, 1] }",
	} {
		b.Run(language, func(b *testing.B) {
			code := write(b, language, "taf", "m"+extension[language], source)
			for range b.N {
				benchMap(b, usercode.Options{Role: job.RoleMap, Code: code, Format: "telemetry"}, blocks)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(blocks)*len(lines)), "ns/record")
		})
	}
}
