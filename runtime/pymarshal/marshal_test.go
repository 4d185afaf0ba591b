package pymarshal_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/runtime/pymarshal"
)

// judge compares what marshal and json make of the texts that it is given, in all that can be told apart.
const judge = `
import json, marshal, struct, sys
def told(v):
    if type(v) is dict: return ("dict", [(told(k), told(x)) for k, x in v.items()])
    if type(v) is list: return ("list", [told(x) for x in v])
    return (type(v).__name__, repr(v))
read = sys.stdin.buffer.read
while True:
    head = read(8)
    if not head: break
    n, m = struct.unpack("<II", head)
    text, data = read(n), read(m)
    try: got, want = told(marshal.loads(data)), told(json.loads(text.decode()))
    except Exception as e: got, want = repr(e), "no exception"
    print("same" if got == want else "%r: marshal gives %r, json %r" % (text, got, want), flush=True)
`

// python asks a Python whether marshal and json agree about a text.
func python(t testing.TB) func(text, data []byte) string {
	require.Tool(t, "python3")
	c := exec.Command("python3", "-c", judge)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = c.Wait() })
	lines := bufio.NewReader(out)
	return func(text, data []byte) string {
		head := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, uint32(len(text))), uint32(len(data)))
		if _, err := in.Write(append(append(head, text...), data...)); err != nil {
			t.Fatal(err)
		}
		line, err := lines.ReadString('\n')
		if err != nil && err != io.EOF {
			t.Fatal(err)
		}
		return strings.TrimSuffix(line, "\n")
	}
}

var texts = []string{
	`null`, ` true `, "\t[false]\r\n", `0`, `-0`, `-1`, `2147483647`, `2147483648`, `-2147483648`, `-2147483649`, `32767`, `32768`, `999999999999999999`, `-999999999999999999`,
	`0.0`, `-0.0`, `1.5`, `1e5`, `1E+5`, `1e-5`, `1.7976931348623157e308`, `1e309`, `-1e309`, `5e-324`, `1e-400`, `0.1`, `123456789012345678901234567890.5`,
	`""`, `"a"`, `"\"\\\/\b\f\n\r\t"`, `"\u0000\u00e9\u20ac"`, `"\ud83e\udd8a"`, `"🦊 naïve"`, "\"\x7f\"", `"` + strings.Repeat("x", 255) + `"`, `"` + strings.Repeat("x", 256) + `"`,
	`[]`, `[[]]`, `[1,"a",null,{}]`, ` [ 1 , 2 ] `, `{}`, `{"a":1,"b":{"c":[1,2,3]}}`, `{"a":1,"a":2,"b":3,"a":4}`, `{"":0}`, `{"é":1}`, `{"a" : 1 , "b" : 2}`,
}

// refused are texts that Python must read itself.
var refused = []string{
	``, ` `, `nul`, `nulll`, `NaN`, `Infinity`, `-Infinity`, `-`, `01`, `-01`, `1.`, `.5`, `1e`, `1e+`, `+1`, `1_0`, `0x1`, `1234567890123456789`, `"`, `"a`, `"\x"`, `"\u12"`, `"\ud800"`, `"\udc00"`,
	`"\ud800\ud800"`, `"\ud800x"`, "\"\n\"", "\"\xff\"", "\"\xed\xa0\x80\"", `[`, `[1`, `[1,`, `[1,]`, `[,]`, `[1 2]`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{a:1}`, `{1:1}`, `{"a" 1}`,
	`1 2`, `[]]`, "\ufeff1", "\v1", strings.Repeat("[", 201) + strings.Repeat("]", 201), `'a'`, `"a" "b"`,
}

func TestAppend(t *testing.T) {
	ask := python(t)
	for _, text := range append(texts, strings.Repeat("[", 200)+strings.Repeat("]", 200)) {
		data, ok := pymarshal.Append([]byte("kept"), []byte(text))
		if !ok || !bytes.HasPrefix(data, []byte("kept")) {
			t.Errorf("%.80s: refused, or what was there before is gone", text)
			continue
		}
		if said := ask([]byte(text), data[4:]); said != "same" {
			t.Error(said)
		}
	}
	for _, text := range refused {
		if data, ok := pymarshal.Append([]byte("kept"), []byte(text)); ok || string(data) != "kept" {
			t.Errorf("%.80q: is taken, or what was there before has changed: %q", text, data)
		}
	}
}

// TestAgreesWithPython changes texts at random: whatever is taken must mean to Python what it means to marshal.
func TestAgreesWithPython(t *testing.T) {
	ask := python(t)
	r := rand.New(rand.NewPCG(1, 2))
	taken := 0
	for range 20000 {
		text := []byte(texts[r.IntN(len(texts))])
		for range r.IntN(3) {
			switch at := r.IntN(len(text) + 1); r.IntN(3) {
			case 0:
				text = append(text[:at:at], append([]byte(texts[r.IntN(len(texts))]), text[at:]...)...)
			case 1:
				text = append(text[:at:at], append([]byte{` ,:"\[]{}0-.eEu9`[r.IntN(16)]}, text[at:]...)...)
			case 2:
				if at < len(text) {
					text = append(text[:at:at], text[at+1:]...)
				}
			}
		}
		data, ok := pymarshal.Append(nil, text)
		if !ok {
			continue
		}
		taken++
		if said := ask(text, data); said != "same" {
			t.Fatal(said)
		}
	}
	if taken < 5000 {
		t.Errorf("only %d of 20000 texts were taken", taken)
	}
}

// FuzzAppend compares with Python whatever is taken.
func FuzzAppend(f *testing.F) {
	for _, text := range append(append([]string{}, texts...), refused...) {
		f.Add([]byte(text))
	}
	ask := python(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		data, ok := pymarshal.Append(nil, text)
		if !ok {
			return
		}
		if said := ask(text, data); said != "same" {
			t.Error(said)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	var text strings.Builder
	text.WriteString(`{"info":{"OS":"Linux","appVersion":"30.0a1"},"histograms":{`)
	for i := range 100 {
		fmt.Fprintf(&text, `"HISTOGRAM_%d":[0,0,0,0,0,0,0,0,1,0,0,0,0,0,0,0,27,0,0,0,0,0,0,0,%d,-1,-1,-1,-1],`, i, i*i)
	}
	text.WriteString(`"LAST":[]}}`)
	record := []byte(text.String())
	b.SetBytes(int64(len(record)))
	var dst []byte
	for b.Loop() {
		var ok bool
		if dst, ok = pymarshal.Append(dst[:0], record); !ok {
			b.Fatal("refused")
		}
	}
}
