package frame_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/runtime/frame"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/usercode"
)

// records reads everything: "number@offset record", bad ones with ! before and their message behind.
func records(t testing.TB, in io.Reader, o frame.Options) (out []string, err error) {
	t.Helper()
	o.File = "f"
	r, err := frame.NewReader(in, o)
	if err != nil {
		return nil, err
	}
	next := int64(1)
	for {
		item, err := r.Next()
		if err != nil {
			if r.Records() != next-1 {
				t.Errorf("Records() = %d, want %d", r.Records(), next-1)
			}
			if err == io.EOF {
				err = nil
			}
			return out, err
		}
		if bad := item.Bad; bad != nil {
			out = append(out, fmt.Sprintf("!%d@%d %s: %s", bad.Place.Record, bad.Place.Offset, bad.Raw, bad.Message))
			next++
			continue
		}
		b := item.Block
		if b.First != next || b.Len() == 0 || b.File != "f" || len(b.Offsets) != b.Len() {
			t.Errorf("block begins at record %d, want %d", b.First, next)
		}
		newlines := false
		for i := range b.Len() {
			if b.Data[b.Ends[i]] != '\n' {
				t.Errorf("no newline after record %d", b.First+int64(i))
			}
			newlines = newlines || strings.Contains(string(b.Record(i)), "\n")
			out = append(out, fmt.Sprintf("%d@%d %s", b.First+int64(i), b.Offsets[i], b.Record(i)))
		}
		if b.Ends[b.Len()-1]+1 != len(b.Data) || b.Lines == newlines {
			t.Errorf("block: %d bytes for %d, Lines %v", len(b.Data), b.Ends[b.Len()-1], b.Lines)
		}
		if b.Keyed != (o.Format == "telemetry") {
			t.Errorf("Keyed is %v", b.Keyed)
		}
		next += int64(b.Len())
	}
}

func TestFormats(t *testing.T) {
	tests := []struct {
		name string
		o    frame.Options
		in   string
		want []string
	}{
		{"lines", frame.Options{Format: "lines"}, "a\n\nb\r\nc\rd\n", []string{"1@0 a", "2@2 ", "3@3 b", "4@6 c\rd"}},
		{"no newline at the end", frame.Options{Format: "lines"}, "a\nb", []string{"1@0 a", "2@2 b"}},
		{"empty", frame.Options{Format: "lines"}, "", nil},
		{"byte order mark", frame.Options{Format: "lines"}, "\ufeffa\n\ufeffb\n", []string{"1@3 a", "2@5 \ufeffb"}},
		{"only a byte order mark", frame.Options{Format: "lines"}, "\ufeff", nil},
		{"telemetry", frame.Options{Format: "telemetry"}, "id\t{\"a\":\t1}\nfoo\t{}\r\n", []string{"1@0 id\t{\"a\":\t1}", "2@12 foo\t{}"}},
		{"telemetry with bad lines", frame.Options{Format: "telemetry"}, "x\ta\nbad\ny\tb\n\nz\tc", []string{"1@0 x\ta",
			"!2@4 bad: no TAB: a telemetry record is an id, a TAB, and JSON", "3@8 y\tb", "!4@12 : no TAB: a telemetry record is an id, a TAB, and JSON", "5@13 z\tc"}},
		{"telemetry with fields", frame.Options{Format: "telemetry", Fields: []string{"info.OS"}}, "id\t{\"x\":1,\"info\":{\"OS\":\"WINNT\"}}\ny\t{\"info\":{}}\nz\t{\"in", []string{
			"1@0 id\t{\"info\":{\"OS\":\"WINNT\"}}", "2@33 y\t{}", "!3@47 z\t{\"in: not JSON: it ends too early, after 4 bytes"}},
		{"jsonl", frame.Options{Format: "jsonl"}, "{\"a\":1}\n\n  \r\nnot json\n", []string{"1@0 {\"a\":1}", "2@13 not json"}},
		{"jsonl with fields", frame.Options{Format: "jsonl", Fields: []string{"a"}}, "{\"a\":1}\nno\n{\"a\":2}", []string{"1@0 {\"a\":1}", "!2@8 no: not JSON: unexpected 'o' at byte 2", "3@11 {\"a\":2}"}},
		{"csv", frame.Options{Format: "csv", Objects: true}, "a,b\r\n1,\"x \"\"y\"\"\r\nz\"\r\n\r\n,\n", []string{`1@5 {"a":"1","b":"x \"y\"\u000d\u000az"}`, `2@23 {"a":"","b":""}`}},
		{"csv lines", frame.Options{Format: "csv"}, "a,b\n1,\"x\ny\"\n3,4\n", []string{"1@4 1,\"x\ny\"", "2@12 3,4"}},
		{"csv bad", frame.Options{Format: "csv", Objects: true}, "a,b\n1\n1,2,3\n\"x\"y,2\n5,6\n\xff,1\n7,\"open\n8,9\n", []string{
			"!1@4 1: 1 fields, the header has 2", "!2@6 1,2,3: 3 fields, the header has 2", `!3@12 "x"y,2: field 1 goes on after its closing quote`,
			`4@19 {"a":"5","b":"6"}`, "!5@23 \xff,1: not UTF-8", "!6@27 7,\"open\n8,9: a quoted field is never closed"}},
		{"csv names", frame.Options{Format: "csv", Objects: true}, "a,,a,a_2,\"a\"\n1,2,3,4,5", []string{`1@13 {"a":"1","column_2":"2","a_3":"3","a_2":"4","a_4":"5"}`}},
		{"csv fields", frame.Options{Format: "csv", Objects: true, Fields: []string{"c", "a", "x"}}, "a,b,c\n1,2,3", []string{`1@6 {"a":"1","c":"3"}`}},
		{"csv of nothing", frame.Options{Format: "csv", Objects: true}, "", nil},
		{"csv of a header", frame.Options{Format: "csv", Objects: true}, "a,b", nil},
		{"csv quote inside", frame.Options{Format: "csv", Objects: true}, "a\n5\" disk\n\"\"\n", []string{`1@2 {"a":"5\" disk"}`, `2@10 {"a":""}`}},
		{"tsv", frame.Options{Format: "tsv", Objects: true}, "\ufeffa\tb\n1,2\t\"x\ty\"\n", []string{`1@7 {"a":"1,2","b":"x\u0009y"}`}},
		{"whole", frame.Options{Format: "whole"}, "\ufeffa\r\nb\n", []string{"1@0 \ufeffa\r\nb\n"}},
		{"whole of nothing", frame.Options{Format: "whole"}, "", []string{"1@0 "}},
		{"whole with fields", frame.Options{Format: "whole", Fields: []string{"a"}}, "{\n\"a\": [1,\n2]}", []string{"1@0 {\"a\":[1,\n2]}"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{0, 1, 2, 3, 7} {
				tt.o.BlockSize = size
				for _, in := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in)), iotest.DataErrReader(strings.NewReader(tt.in))} {
					got, err := records(t, in, tt.o)
					if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
						t.Fatalf("blocks of %d: %v (-want +got):\n%s", size, err, diff)
					}
				}
			}
		})
	}
}

func TestBlocksKeepTheirData(t *testing.T) {
	in := strings.Repeat("a line\nanother, longer line\r\n", 100_000)
	r, err := frame.NewReader(strings.NewReader(in), frame.Options{Format: "lines"})
	if err != nil {
		t.Fatal(err)
	}
	var blocks []*usercode.Block
	for {
		item, err := r.Next()
		if err == io.EOF {
			break
		}
		if len(item.Block.Data) > 1<<20+64 {
			t.Errorf("a block of %d bytes", len(item.Block.Data))
		}
		blocks = append(blocks, item.Block)
	}
	var got strings.Builder
	for _, b := range blocks {
		got.Write(b.Data)
	}
	if got.String() != strings.ReplaceAll(in, "\r", "") {
		t.Error("a block changed after it was handed over")
	}
}

func TestBreakComesAfterRecords(t *testing.T) {
	broken := errors.New("broken")
	for _, format := range []string{"lines", "csv"} {
		in := io.MultiReader(strings.NewReader("a\nb\nc\nhalf"), iotest.ErrReader(broken))
		got, err := records(t, in, frame.Options{Format: format})
		if err != broken || len(got) == 0 || strings.Contains(got[len(got)-1], "half") {
			t.Errorf("%s: %q, %v", format, got, err)
		}
	}
}

func TestTooLong(t *testing.T) {
	tests := []struct{ format, in string }{
		{"lines", "ok\n0123456789x\nrest\n"}, {"lines", "ok\n" + strings.Repeat("x", 1000)}, {"csv", "h\nok\n\"" + strings.Repeat("\n", 1000)}, {"whole", strings.Repeat("x", 100)},
	}
	for _, tt := range tests {
		for _, size := range []int{0, 4} {
			got, err := records(t, strings.NewReader(tt.in), frame.Options{Format: tt.format, MaxRecord: 10, BlockSize: size})
			var long *frame.TooLongError
			if !errors.As(err, &long) || long.File != "f" || long.Limit != 10 || long.Record != int64(len(got))+1 {
				t.Errorf("%s in blocks of %d: %q, %v", tt.format, size, got, err)
			}
		}
	}
	if got, err := records(t, strings.NewReader("0123456789\r\n"), frame.Options{Format: "lines", MaxRecord: 10}); err != nil || len(got) != 1 {
		t.Errorf("a record of just the limit: %q, %v", got, err)
	}
}

func TestOptionErrors(t *testing.T) {
	for _, o := range []frame.Options{{Format: "xml"}, {}, {Format: "lines", Fields: []string{"a"}}, {Format: "csv", Fields: []string{"a"}},
		{Format: "jsonl", Fields: []string{""}}, {Format: "jsonl", Fields: []string{"a..b"}}, {Format: "jsonl", Fields: []string{"a[x]"}}, {Format: "jsonl", Fields: []string{"a[0"}}, {Format: "jsonl", Fields: []string{"a[01]"}}, {Format: "jsonl", Fields: []string{"a[0]b"}}} {
		if _, err := frame.NewReader(strings.NewReader(""), o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	_, err := records(t, strings.NewReader("a,\"b\n"), frame.Options{Format: "csv", Objects: true})
	var format *frame.FormatError
	if !errors.As(err, &format) {
		t.Errorf("open quote in a header: %v", err)
	}
}

func TestPlaceOfBad(t *testing.T) {
	r, err := frame.NewReader(strings.NewReader("a\tb\n"+strings.Repeat("é", 400)+"\n"), frame.Options{Format: "telemetry", File: "k"})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = r.Next()
	item, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	want := job.Place{File: "k", Record: 2, Offset: 4, Text: strings.Repeat("é", 250) + "…"}
	if diff := cmp.Diff(want, item.Bad.Place); diff != "" {
		t.Error(diff)
	}
	if len(item.Bad.Raw) != 800 {
		t.Errorf("the raw record has %d bytes", len(item.Bad.Raw))
	}
}

func FuzzRecords(f *testing.F) {
	for _, format := range []string{"telemetry", "lines", "jsonl", "csv", "tsv", "whole"} {
		f.Add(format, "a\tb,\"c\"\r\n{\"a\":1}\n\n1\t\"2\n\"", 3)
	}
	f.Fuzz(func(t *testing.T, format, in string, size int) {
		o := frame.Options{Format: format, Objects: true, MaxRecord: 1 << 20}
		want, wantErr := records(t, strings.NewReader(in), o)
		o.BlockSize = size & 15
		got, err := records(t, strings.NewReader(in), o)
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (wantErr == nil) {
			t.Errorf("depends on the size of blocks: %v, %v\n%s", err, wantErr, diff)
		}
	})
}
