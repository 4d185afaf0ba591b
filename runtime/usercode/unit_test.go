package usercode

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Any bytes come back from the JSON string that stands for them, and that is JSON without a byte that would break a line.
func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.SliceOf(rapid.Byte()), rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) })).Draw(t, "text")
		quoted := appendString(nil, text)
		if !json.Valid(quoted) || !utf8.Valid(quoted) || bytes.ContainsAny(quoted, "\t\n") {
			t.Fatalf("%q became %q", text, quoted)
		}
		if back, ok := unquote(quoted); !ok || !bytes.Equal(back, text) {
			t.Fatalf("%q became %q, then %q, %v", text, quoted, back, ok)
		}
	})
}

func TestTextLine(t *testing.T) {
	tests := []struct{ key, value, want string }{
		{`"a"`, `"b"`, "a\tb"},
		{`"a"`, ``, "a"},
		{`"a"`, `""`, "a\t"},
		{`1.50`, `{"x":"y"}`, "1.50\t{\"x\":\"y\"}"},
		{`"tab\t"`, `"tab\t"`, "\"tab\\t\"\ttab\t"},
		{`"nl\n"`, `"nl\u000a"`, `"nl\n"` + "\t" + `"nl\u000a"`},
		{`"\u00e9\ud83d\ude00\/"`, `"\udcff"`, "é😀/\t\xff"},
		{`"\ud800"`, `"\ud800\udcff\udc00"`, `"\ud800"` + "\t" + `"\ud800\udcff\udc00"`},
		{`"broken\x"`, `"broken\u12"`, `"broken\x"` + "\t" + `"broken\u12"`},
	}
	for _, tt := range tests {
		if got := string(appendTextLine(nil, []byte(tt.key), []byte(tt.value))); got != tt.want+"\n" {
			t.Errorf("%s, %s: got %q, want %q", tt.key, tt.value, got, tt.want)
		}
	}
}

func TestSignature(t *testing.T) {
	tests := []struct{ kind, message, place, want string }{
		{"KeyError", "'info'", "m.py:12", "KeyError: 'info' at m.py:12"},
		{"KeyError", "'c0ffee12'", "m.py:12", "KeyError: '…' at m.py:12"},
		{"KeyError", "17", "m.py:12", "KeyError: N at m.py:12"},
		{"ValueError", "could not convert string to float: 'abc'", "m.py:1", "ValueError: could not convert string to float: '…' at m.py:1"},
		{"TypeError", "Cannot read properties of undefined (reading 'OS')", "m.js:3", "TypeError: Cannot read properties of undefined (reading 'OS') at m.js:3"},
		{"IndexError", "list index out of range\nmore", "", "IndexError: list index out of range"},
		{"", "the record is not JSON: Expecting value: line 1 column 5 (char 4)", "", "the record is not JSON: Expecting value: line N column N (char N)"},
		{"Error", "id 0ab8723b-6fb3-455b-b34b-04d97482fda2 at 0x7f12 in 1.5 s", "", "Error: id … at N in N s"},
		{"MemoryError", "", "m.py:2", "MemoryError at m.py:2"},
		{"Error", strings.Repeat("é", 300), "", "Error: " + strings.Repeat("é", 200) + "…"},
	}
	for _, tt := range tests {
		if got := signature(tt.kind, tt.message, tt.place); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestReadLines(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	tests := []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"a\nb\r\n\nc", []string{"a", "b", "", "c"}},
		{"a\n" + long + "\nb", []string{"a", long[:maxLogLine] + "…", "b"}},
		{long, []string{long[:maxLogLine] + "…"}},
		{"\xff\n", []string{"\ufffd"}},
	}
	for _, tt := range tests {
		var got []string
		readLines(iotest.OneByteReader(strings.NewReader(tt.in)), func(s string) { got = append(got, s) })
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%.20q: %s", tt.in, diff)
		}
	}
}

func TestPlace(t *testing.T) {
	b := &Block{File: "f", First: 7, Offsets: []int64{100, 104}, Data: []byte("a\xffb\n" + strings.Repeat("é", 400) + "\n"), Ends: []int{3, 804}}
	if got := b.Place(0); got.Text != "a\ufffdb" || got.Record != 7 || got.Offset != 100 || got.File != "f" {
		t.Errorf("%+v", got)
	}
	if got := b.Place(1); got.Text != strings.Repeat("é", 250)+"…" || got.Record != 8 {
		t.Errorf("%+v", got)
	}
	b.Data[4] = 'x' // characters begin at other bytes now
	if got := b.Place(1); !utf8.ValidString(got.Text) || !strings.HasSuffix(got.Text, "é…") {
		t.Errorf("%+v", got)
	}
}

// Whatever a helper's pipe holds, reading frames ends, with the frames that are whole and in no more memory than they need.
func FuzzFrames(f *testing.F) {
	f.Add(appendFrame(appendFrame(nil, frameAck, []byte{1, 0, 0, 0}), framePairs, []byte("1\t2\n")))
	f.Add([]byte("P\xff\xff\xff\x7fshort"))
	f.Add([]byte("P\x00\x00\x40\x00"))
	f.Add([]byte("A\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 3 * frameSize
		r := newFrameReader(iotest.HalfReader(bytes.NewReader(data)), limit)
		var again []byte
		for {
			kind, payload, err := r.next()
			if err != nil {
				whole := len(again) == len(data)
				if whole != (err == io.EOF) {
					t.Fatalf("%d of %d bytes read, then %v", len(again), len(data), err)
				}
				if rest := data[len(again):]; !whole && !errors.Is(err, io.ErrUnexpectedEOF) && (len(rest) < frameHeader || binary.LittleEndian.Uint32(rest[1:]) <= limit) {
					t.Fatal(err)
				}
				break
			}
			again = appendFrame(again, kind, payload)
		}
		if !bytes.HasPrefix(data, again) {
			t.Fatal("frames differ from what was written")
		}
	})
}

// Groups hold the pairs in their order, however the lines are cut into calls, and every frame is a sound one.
func TestGrouper(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []string
		var lines []byte
		for key := range rapid.IntRange(0, 6).Draw(t, "keys") {
			for range rapid.IntRange(1, 5).Draw(t, "values") {
				value := strings.Repeat("1", rapid.SampledFrom([]int{0, 1, 5, 300_000}).Draw(t, "size"))
				want = append(want, string(rune('a'+key))+" "+value)
				lines = append(append(append(lines, byte('a'+key), '\t'), value...), '\n')
			}
		}
		var frames []byte
		var keys []string
		g := grouper{send: func(frame []byte, groups []group) error {
			frames = append(frames, frame...)
			for _, g := range groups {
				if int(g.number) == len(keys)+1 {
					keys = append(keys, g.key)
				} else if int(g.number) != len(keys) {
					t.Fatalf("key %d after %d", g.number, len(keys))
				}
			}
			return nil
		}}
		for _, line := range bytes.SplitAfter(lines, []byte("\n")) {
			if err := g.add(line); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.end(); err != nil {
			t.Fatal(err)
		}
		got := readGroups(t, frames)
		for i := range want {
			if strings.HasSuffix(want[i], " ") {
				want[i] += "null"
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// readGroups reads frames of pairs as a helper does.
func readGroups(t *rapid.T, frames []byte) []string {
	var got []string
	r := newFrameReader(bytes.NewReader(frames), 1<<30)
	open := false
	for seq := uint32(1); ; seq++ {
		kind, payload, err := r.next()
		if err == io.EOF {
			if open {
				t.Fatal("the last key has no end")
			}
			return got
		}
		if err != nil || kind != framePairs || binary.LittleEndian.Uint32(payload) != seq {
			t.Fatalf("frame %d: type %q, %v", seq, kind, err)
		}
		for payload = payload[4:]; len(payload) > 0; {
			keySize, count, size, flags := binary.LittleEndian.Uint32(payload), binary.LittleEndian.Uint32(payload[4:]), binary.LittleEndian.Uint32(payload[8:]), payload[12]
			key, values := string(payload[13:13+keySize]), string(payload[13+keySize:13+keySize+size])
			payload = payload[13+keySize+size:]
			if open == (flags&chunkFirst != 0) {
				t.Fatalf("key %s begins inside another", key)
			}
			open = flags&chunkLast == 0
			if count == 0 {
				continue
			}
			list := strings.Split(values, ",")
			if len(list) != int(count) {
				t.Fatalf("%d values, not %d", len(list), count)
			}
			for _, v := range list {
				got = append(got, key+" "+v)
			}
		}
	}
}

func TestHasLongNumber(t *testing.T) {
	plain := regexp.MustCompile(`[0-9]{19}`)
	rapid.Check(t, func(t *rapid.T) {
		data := []byte(rapid.StringMatching(`([0-9]{0,24}[a,"]{1,5}){0,6}`).Draw(t, "data"))
		if got, want := hasLongNumber(data), plain.Match(data); got != want {
			t.Errorf("%q: %v, want %v", data, got, want)
		}
	})
}
