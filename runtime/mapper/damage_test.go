package mapper_test

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/runtime/job"
)

// packed is a text in each format, by the extension of its name.
func packed(t *testing.T, text string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{"": []byte(text)}
	for ext, open := range map[string]func(io.Writer) (io.WriteCloser, error){
		".xz":   func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
		".lzma": func(w io.Writer) (io.WriteCloser, error) { return lzma.NewWriter(w) },
		".zst":  func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
		".lz4":  func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil },
	} {
		var b bytes.Buffer
		w, err := open(&b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		out[ext] = b.Bytes()
	}
	out[".gz"] = gz(t, text)
	cmd := exec.Command(require.Tool(t, "bzip2"), "-1c")
	cmd.Stdin = strings.NewReader(text)
	var err error
	if out[".bz2"], err = cmd.Output(); err != nil {
		t.Fatal(err)
	}
	return out
}

func lines(prefix string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s%d\n", prefix, i*7919%104729)
	}
	return b.String()
}

// Of a damaged file nothing wrong ever counts, whatever the damage, and the other file counts whole.
func TestNothingWrongOfDamagedFilesCounts(t *testing.T) {
	const n = 17_000 // more than a block of bzip2 -1
	text, other := lines("a", n), lines("b", 10)
	right := map[string]bool{}
	for line := range strings.Lines(text) {
		right[strings.TrimSuffix(line, "\n")] = true
	}
	for ext, whole := range packed(t, text) {
		flip := func(at int) []byte {
			data := bytes.Clone(whole)
			data[at] ^= 0x10
			return data
		}
		type damaged struct {
			name string
			data []byte
			ext  string
			fine bool // the format cannot tell, or nothing is wrong
		}
		cases := []damaged{
			{"whole", whole, ext, true},
			{"under another name", whole, ".gz", true},
			{"under no name", whole, ".dat", true},
		}
		if ext != "" {
			cases = append(cases,
				damaged{"first byte", flip(0), ext, false}, damaged{"third byte", flip(2), ext, false},
				damaged{"a quarter", flip(len(whole) / 4), ext, false}, damaged{"the middle", flip(len(whole) / 2), ext, false}, damaged{"near the end", flip(len(whole) * 9 / 10), ext, false},
				damaged{"the last bytes", flip(len(whole) - 3), ext, false},
				damaged{"cut in the header", whole[:3], ext, false}, damaged{"cut in the middle", whole[:len(whole)/2], ext, false}, damaged{"cut before the last byte", whole[:len(whole)-1], ext, false},
				damaged{"garbage behind", append(bytes.Clone(whole), "garbage\n"...), ext, false}, damaged{"a zero behind", append(bytes.Clone(whole), 0), ext, false},
				damaged{"empty", nil, ext, false})
		}
		for _, c := range cases {
			name := "a" + c.ext
			if c.ext == ".gz" && ext == "" {
				name = "a.txt.gz2"
			}
			spec := func(tolerated int64) *job.Spec {
				spec := mapSpec(plan(t, [2]string{"raw", string(c.data)}, [2]string{"b", other}))
				spec.Files[0].Key = name
				spec.Tolerate.BadFiles.Count = tolerated
				return spec
			}
			what := fmt.Sprintf("%s, %s", ext, c.name)
			strict, got := run(t, spec(0)), run(t, spec(1))
			if strict.Cause != job.CauseDone && strict.Cause != job.CauseCorrupt || strict.Cause == job.CauseCorrupt && (strict.Failure.File != name || strict.Failure.Hint == "") {
				t.Errorf("%s: %s %+v", what, strict.Cause, strict.Failure)
				continue
			}
			if c.fine != (strict.Cause == job.CauseDone) {
				t.Errorf("%s: %s %+v", what, strict.Cause, strict.Failure)
			}
			if got.Cause != job.CauseDone {
				t.Errorf("%s: tolerated, and still %s %+v", what, got.Cause, got.Failure)
				continue
			}
			count, others, wrong := 0, 0, ""
			for line := range strings.Lines(got.text(t)) {
				key, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
				switch key = strings.Trim(key, `"`); {
				case right[key]:
					count++
				case strings.HasPrefix(key, "b"):
					others++
				default:
					wrong = line
				}
			}
			if wrong != "" {
				t.Errorf("%s: the result has %q", what, wrong)
			}
			if others != 10 || got.Ledger.Files.Done+got.Ledger.Files.Failed != 2 || c.fine && count != n {
				t.Errorf("%s: %d and %d records, %+v", what, count, others, got.Ledger.Files)
			}
			if got.Ledger.Files.Failed == 1 && int64(count) != got.Ledger.Files.Losses[0].Records {
				t.Errorf("%s: %d records are in the result, and %d in its loss", what, count, got.Ledger.Files.Losses[0].Records)
			}
			if c.name == "garbage behind" && count != n {
				t.Errorf("%s: %d records before it count", what, count)
			}
			if c.name == "cut in the middle" && (ext == ".gz" || ext == ".xz" || ext == ".lzma") && count < n/4 {
				t.Errorf("%s: only %d records before the cut count", what, count)
			}
		}
	}
}
