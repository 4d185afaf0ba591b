package unxz_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/runtime/codec/unxz"
)

func decompress(r io.Reader, alone bool) ([]byte, error) {
	if alone {
		a, err := unxz.NewAlone(r)
		if err != nil {
			return nil, err
		}
		defer a.Close()
		return io.ReadAll(a)
	}
	x, err := unxz.NewXZ(r, 1<<30)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	return io.ReadAll(x)
}

// program runs xz, and gives what it writes, also when it fails.
func program(t testing.TB, in []byte, args ...string) ([]byte, error) {
	t.Helper()
	cmd := exec.Command(require.Tool(t, "xz"), args...)
	cmd.Stdin = bytes.NewReader(in)
	return cmd.Output()
}

// samples are data that compress in different ways.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 300_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	var records, words strings.Builder
	for records.Len() < 1_500_000 {
		fmt.Fprintf(&records, "{\"id\":%d,\"os\":\"WINNT\",\"version\":[%d,%d],\"text\":\"words that come again\"}\n", r.Uint64(), r.IntN(9), r.IntN(99))
	}
	for words.Len() < 300_000 {
		words.WriteString([]string{"alpha ", "be", "gamma\n", "{\"a\":", "1234567", "x"}[r.IntN(6)])
	}
	return map[string][]byte{
		"nothing": {}, "a byte": {'x'}, "zeros": make([]byte, 400_000), "noise": noise, "records": []byte(records.String()), "words": []byte(words.String()),
		"turns":       bytes.Repeat([]byte("abcdefghijklmnopq"), 20_000),               // matches that overlap themselves
		"noise twice": append(append(bytes.Clone(noise), words.String()...), noise...), // chunks of all kinds, and matches far back
	}
}

var writers = []struct {
	name  string
	alone bool
	args  []string
}{
	{"plain", false, []string{"-zc"}},
	{"small dictionary", false, []string{"-zc", "--lzma2=dict=4KiB,lc=0,lp=4,pb=0"}},
	{"middling dictionary, no checksum", false, []string{"-zc", "--check=none", "--lzma2=dict=64KiB,lc=4,lp=0,pb=4,mode=fast"}},
	{"blocks with sizes, sha256", false, []string{"-zc", "-T2", "--block-size=100000", "--check=sha256"}},
	{"crc32, extreme", false, []string{"-zc", "-9e", "--check=crc32"}},
	{"alone", true, []string{"-zc", "--format=lzma"}},
	{"alone, small dictionary", true, []string{"-zc", "--format=lzma", "--lzma1=dict=4KiB,lc=1,lp=3,pb=2"}},
}

func TestReadsWhatXZWrites(t *testing.T) {
	for what, want := range samples() {
		for _, w := range writers {
			data, err := program(t, want, w.args...)
			if err != nil {
				t.Fatal(err)
			}
			for name, src := range map[string]io.Reader{"at once": bytes.NewReader(data), "in pieces": iotest.HalfReader(iotest.DataErrReader(bytes.NewReader(data)))} {
				if got, err := decompress(src, w.alone); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s, %s, %s: %d bytes of %d, %v", what, w.name, name, len(got), len(want), err)
				}
			}
		}
	}
}

// Of a damaged file as much is decoded as xz -dc decodes, to the byte: results do not depend on who reads.
func TestGivesWhatXZGivesBeforeABreak(t *testing.T) {
	text := samples()["records"][:400_000]
	for _, w := range writers {
		whole, err := program(t, text, w.args...)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(3, 4))
		for round := range 12 {
			data, what := bytes.Clone(whole), ""
			if at := r.IntN(len(data)); round%2 == 0 {
				data, what = data[:at], fmt.Sprintf("cut at %d", at)
			} else {
				data[at] ^= 1 << r.IntN(8)
				what = fmt.Sprintf("damaged at %d", at)
			}
			format := "--format=xz"
			if w.alone {
				format = "--format=lzma"
			}
			want, failed := program(t, data, "-dcq", format)
			got, err := decompress(bytes.NewReader(data), w.alone)
			if (failed == nil) != (err == nil) || !bytes.Equal(got, want) {
				t.Errorf("%s %s of %d: %d bytes and %v, xz gives %d and %v", w.name, what, len(whole), len(got), err, len(want), failed)
			}
			if strings.HasPrefix(what, "cut") && err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s %s: %v", w.name, what, err)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	text := samples()["words"]
	xz, err := program(t, text, "-zc", "-0")
	if err != nil {
		t.Fatal(err)
	}
	filtered, err := program(t, text, "-zc", "--delta=dist=4", "--lzma2")
	if err != nil {
		t.Fatal(err)
	}
	flipped := func(at int) []byte {
		data := bytes.Clone(xz)
		data[at] ^= 0x40
		return data
	}
	follow := func(more string) []byte { return append(bytes.Clone(xz), more...) }
	for name, test := range map[string]struct {
		data []byte
		want error
	}{
		"magic": {flipped(2), unxz.ErrHeader}, "flags": {flipped(7), unxz.ErrHeader}, "block header": {flipped(14), unxz.ErrHeader},
		"footer": {flipped(len(xz) - 6), unxz.ErrCorrupt}, "index": {flipped(len(xz) - 18), unxz.ErrCorrupt}, "checksum": {flipped(len(xz) - 29), unxz.ErrChecksum},
		"filter": {filtered, unxz.ErrFilter}, "trailing": {follow("x"), unxz.ErrTrailing}, "much trailing": {follow("something else that is long"), unxz.ErrTrailing},
		"another that is cut": {follow("\xfd7z"), io.ErrUnexpectedEOF}, "padding": {follow("\x00\x00\x00\x00"), nil}, "odd padding": {follow("\x00\x00\x00"), unxz.ErrTrailing},
		"padding and another": {follow("\x00\x00\x00\x00" + string(xz)), nil}, "nothing": {nil, io.ErrUnexpectedEOF},
	} {
		if _, err := decompress(bytes.NewReader(test.data), false); !errors.Is(err, test.want) || (test.want == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	broken := errors.New("the disk is gone")
	for _, n := range []int{0, 5, 100, len(xz) / 2, len(xz)} {
		if _, err := decompress(io.MultiReader(bytes.NewReader(xz[:n]), iotest.ErrReader(broken)), false); !errors.Is(err, broken) {
			t.Errorf("source broken at %d: %v", n, err)
		}
	}
	var need *unxz.DictionaryError
	x, err := unxz.NewXZ(bytes.NewReader(xz), 1<<16)
	if err == nil {
		_, err = io.ReadAll(x)
	}
	if !errors.As(err, &need) || need.Need != 256<<10 {
		t.Errorf("a dictionary that is too large: %v", err)
	}
}

func TestChecksum64(t *testing.T) {
	text := samples()["words"]
	for _, n := range []int{0, 1, 15, 16, 17, 33, 1000} {
		c := unxz.NewChecksum64()
		c.Write(text[:n/2])
		c.Write(text[n/2 : n])
		if want := crc64.Checksum(text[:n], crc64.MakeTable(crc64.ECMA)); c.Sum64() != want {
			t.Errorf("%d bytes: %x, want %x", n, c.Sum64(), want)
		}
	}
}

// Whatever the bytes, the decoder does not panic, and what another decoder reads to the end it reads alike.
func FuzzRead(f *testing.F) {
	var one, two bytes.Buffer
	w, err := xz.NewWriter(&one)
	if err != nil {
		f.Fatal(err)
	}
	a, err := lzma.NewWriter(&two)
	if err != nil {
		f.Fatal(err)
	}
	for _, to := range []io.WriteCloser{w, a} {
		if _, err := io.WriteString(to, strings.Repeat("some text, some more text\n", 30)); err != nil {
			f.Fatal(err)
		}
		if err := to.Close(); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(one.Bytes(), false)
	f.Add(two.Bytes(), true)
	f.Fuzz(func(t *testing.T, data []byte, alone bool) {
		if alone && len(data) > 4 && (data[3] > 0x10 || data[4] > 0) {
			return // too large a dictionary
		}
		got, err := decompress(bytes.NewReader(data), alone)
		if err != nil {
			return
		}
		var other io.Reader
		var failed error
		if alone {
			other, failed = lzma.NewReader(bytes.NewReader(data))
		} else {
			other, failed = xz.NewReader(bytes.NewReader(data))
		}
		if failed != nil {
			return
		}
		if want, failed := io.ReadAll(other); failed == nil && !bytes.Equal(got, want) {
			t.Errorf("%d bytes, the other decoder reads %d", len(got), len(want))
		}
	})
}
