package extract

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// checkIndex compares what the masks say of a record with what encoding/json and the scanner say.
func checkIndex(t interface {
	Fatalf(format string, args ...any)
}, record []byte) {
	var ix index
	fast := ix.scan(record)
	if valid := json.Valid(record); fast && !valid {
		t.Fatalf("%q is taken for JSON", record)
	}
	s := scanner{b: record}
	if begin := s.peek(); !fast && (begin == '{' || begin == '[') && s.value(1) == nil {
		if s.space(); s.i == len(record) {
			t.Fatalf("%q is not taken for JSON", record)
		}
	}
	if !fast {
		return
	}
	for i, open := range ix.opens {
		s := scanner{b: record, i: int(open)}
		if err := s.value(1); err != nil || s.i != int(ix.closes[i])+1 {
			t.Fatalf("%q: the bracket at %d is closed at %d, not %d (%v)", record, open, s.i-1, ix.closes[i], err)
		}
	}
}

func needMasks(t testing.TB) {
	if !fast {
		t.Skip("this processor has no AVX2: records are scanned byte by byte")
	}
}

func FuzzIndex(f *testing.F) {
	needMasks(f)
	for _, s := range []string{`{"a":{"b":[1,{"c":null}]},"x":"\u0061\\","a":-0.5e+3}`, `[1e5,-0.0,"\ud83d\ude00",true,false]`, " { \"a\" : [ ] , \"b\" : { } } \t",
		`{"` + strings.Repeat("k", 200) + `":[` + strings.Repeat("0,", 100) + `0]}`, `["\\\\\\\"",{}]`, `{"a":"b","c"}`, `[1,,2]`, `[01]`, `[-]`, `{"a" 1}`, `[1]]`} {
		f.Add([]byte(s), uint8(0))
		f.Add([]byte(s), uint8(63))
	}
	f.Fuzz(func(t *testing.T, record []byte, shift uint8) {
		checkIndex(t, record)
		// The same where blocks end elsewhere.
		checkIndex(t, slices.Concat([]byte(`["`), bytes.Repeat([]byte("x"), int(shift%64)), []byte(`",`), record, []byte("]")))
	})
}

// TestIndexOfRandomJSON makes JSON with all that can stand at the end of a block, and damages some of it.
func TestIndexOfRandomJSON(t *testing.T) {
	needMasks(t)
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.SampledFrom([]string{
			"{", "}", "[", "]", ",", ":", `"`, `"a"`, `""`, `"a":`, `"\\"`, `"\""`, `"\u00e9"`, `\`, "0", "1", "12", "-", "-1", "0.5", "1e5", "true", "null", "false", " ", "  ", "\t", "\n", "é", "{}", "[]", `{"a":1}`, "[1,2]", "\x01",
		}), 0, 60).Draw(t, "pieces")
		checkIndex(t, []byte(strings.Join(pieces, "")))
		record := []byte(value(t, 4))
		checkIndex(t, record)
		if at := rapid.IntRange(0, len(record)-1).Draw(t, "at"); rapid.Bool().Draw(t, "damage") {
			record[at] = rapid.SampledFrom([]byte(`{}[],:"\ -0a.`)).Draw(t, "byte")
			checkIndex(t, record)
		}
	})
}

// value is a random JSON value with random white space.
func value(t *rapid.T, depth int) string {
	space := func() string { return rapid.SampledFrom([]string{"", "", "", " ", "\n  "}).Draw(t, "space") }
	kind := rapid.IntRange(0, 7).Draw(t, "kind")
	if depth == 0 {
		kind = kind % 5
	}
	switch kind {
	case 0:
		return rapid.SampledFrom([]string{"true", "false", "null", "1.5", "-2e-7", "0", "-0", "10", "1E+2"}).Draw(t, "word")
	case 1, 2:
		return rapid.StringMatching(`[1-9][0-9]{0,20}`).Draw(t, "number")
	case 3, 4:
		text, _ := json.Marshal(rapid.StringN(0, 40, -1).Draw(t, "text"))
		return string(text)
	case 5:
		var parts []string
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			parts = append(parts, space()+value(t, depth-1)+space())
		}
		return "[" + strings.Join(parts, ",") + space() + "]"
	default:
		var parts []string
		for range rapid.IntRange(0, 8).Draw(t, "n") {
			name, _ := json.Marshal(rapid.StringN(0, 20, -1).Draw(t, "name"))
			parts = append(parts, space()+string(name)+space()+":"+space()+value(t, depth-1)+space())
		}
		return "{" + strings.Join(parts, ",") + space() + "}"
	}
}

func BenchmarkIndex(b *testing.B) {
	needMasks(b)
	record := []byte(`{"ver":2,"info":{"OS":"WINNT","appVersion":"30.0a1","adapter":"Intel(R) HD"},"histograms":{` + strings.Repeat(`"CYCLE_COLLECTOR_MS":[0,3,0,13,0,0,1,0,0,0,0,-1,-1,576,0],`, 150) + `"last":[1]}}`)
	b.SetBytes(int64(len(record)))
	var ix index
	for b.Loop() {
		if !ix.scan(record) {
			b.Fatal("not JSON")
		}
	}
}
