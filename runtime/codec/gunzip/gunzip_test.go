package gunzip_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	kgzip "github.com/klauspost/compress/gzip"

	"github.com/tafc/tafc/runtime/codec/gunzip"
)

func compress(t testing.TB, data []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decompress(r io.Reader) ([]byte, error) {
	z, err := gunzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// samples are data that compress in different ways.
func samples() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 700_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	var words strings.Builder
	for words.Len() < 900_000 {
		words.WriteString([]string{"alpha ", "be", "gamma\n", "{\"a\":", "1234567", "x"}[r.IntN(6)])
	}
	var skewed bytes.Buffer // long codes: some bytes are rare
	for skewed.Len() < 500_000 {
		n := r.ExpFloat64() * 6
		skewed.WriteByte(byte(min(n*n, 255)))
	}
	var far bytes.Buffer // matches as far back as they may be
	far.Write(noise[:32768])
	for range 20 {
		far.Write(noise[:32768])
	}
	s := map[string][]byte{
		"empty": nil, "one byte": {7}, "noise": noise, "words": []byte(words.String()), "skewed": skewed.Bytes(), "far": far.Bytes(),
		"zeros": make([]byte, 1_000_000),
	}
	for distance := 2; distance < 20; distance++ {
		s["period "+string(rune('a'+distance))] = bytes.Repeat(noise[:distance], 5000)
	}
	return s
}

func TestRoundTrip(t *testing.T) {
	for name, data := range samples() {
		for _, level := range []int{gzip.NoCompression, gzip.BestSpeed, gzip.DefaultCompression, gzip.BestCompression, gzip.HuffmanOnly} {
			packed := compress(t, data, level)
			for _, reader := range []struct {
				name string
				r    io.Reader
			}{{"whole", bytes.NewReader(packed)}, {"halves", iotest.HalfReader(bytes.NewReader(packed))}, {"end with data", iotest.DataErrReader(bytes.NewReader(packed))}} {
				got, err := decompress(reader.r)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("%s, level %d, %s: %d bytes of %d, error %v", name, level, reader.name, len(got), len(data), err)
				}
			}
		}
	}
}

func TestOneByteAtATime(t *testing.T) {
	data := samples()["words"][:50_000]
	got, err := decompress(iotest.OneByteReader(bytes.NewReader(compress(t, data, 6))))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes of %d, error %v", len(got), len(data), err)
	}
}

func TestMembers(t *testing.T) {
	one, two := []byte("one\n"), bytes.Repeat([]byte("two\n"), 100_000)
	packed := append(compress(t, one, 6), compress(t, nil, 6)...)
	packed = append(packed, compress(t, two, 9)...)
	got, err := decompress(bytes.NewReader(packed))
	if want := append(one, two...); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d, error %v", len(got), len(want), err)
	}
	// A member may not refer to one before it.
	inner := deflated([]byte("no preset"), []byte("no preset"))
	if _, err := decompress(bytes.NewReader(append(compress(t, []byte("no preset"), 6), member(inner, []byte("no preset"))...))); !errors.Is(err, gunzip.ErrData) {
		t.Errorf("a match before the beginning of a member: %v", err)
	}
}

// deflated is data as DEFLATE makes of them when it knows what came before.
func deflated(data, before []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriterDict(&b, 9, before)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

// member is a DEFLATE stream with the header and the trailer of gzip.
func member(stream, data []byte) []byte {
	b := append([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), stream...)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(data))
	return binary.LittleEndian.AppendUint32(b, uint32(len(data)))
}

func TestHeaders(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name, w.Comment, w.Extra = "name", "comment", []byte("some extra")
	_, _ = w.Write([]byte("text"))
	_ = w.Close()
	whole := b.Bytes()
	if got, err := decompress(bytes.NewReader(whole)); string(got) != "text" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for cut := range whole {
		if _, err := decompress(bytes.NewReader(whole[:cut])); err != io.ErrUnexpectedEOF {
			t.Errorf("cut at %d of %d: %v", cut, len(whole), err)
		}
	}
	damaged := func(at int) error {
		other := bytes.Clone(whole)
		other[at] ^= 1
		_, err := decompress(bytes.NewReader(other))
		return err
	}
	for at, want := range map[int]error{0: gunzip.ErrHeader, 1: gunzip.ErrHeader, 2: gunzip.ErrHeader, len(whole) - 1: gunzip.ErrChecksum, len(whole) - 5: gunzip.ErrChecksum} {
		if err := damaged(at); !errors.Is(err, want) {
			t.Errorf("byte %d damaged: %v, want %v", at, err, want)
		}
	}
	if _, err := decompress(strings.NewReader(string(whole) + "more")); !errors.Is(err, gunzip.ErrHeader) {
		t.Errorf("something behind: %v", err)
	}
}

func TestSourceErrors(t *testing.T) {
	broken := errors.New("broken")
	packed := compress(t, samples()["words"], 6)
	for _, n := range []int{0, 5, 40, 1000, len(packed) - 4} {
		if _, err := decompress(io.MultiReader(bytes.NewReader(packed[:n]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// FuzzInflate compares with the standard library, which may see an error a little sooner or later, but not another text.
func FuzzInflate(f *testing.F) {
	for _, data := range samples() {
		data = data[:min(len(data), 3000)]
		for _, level := range []int{0, 1, 6, -2} {
			packed := compress(f, data, level)
			f.Add(packed[10 : len(packed)-8])
		}
	}
	f.Add([]byte("\x05\xc0\x81\x00\x00\x00\x00\x00\x90\xff\x6b\x04")) // one code of one bit for distances
	f.Fuzz(func(t *testing.T, stream []byte) {
		in := bytes.NewReader(stream)
		want, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(in), 8<<20))
		rest := stream[len(stream)-in.Len():]
		got, err := decompress(io.LimitReader(bytes.NewReader(member(stream, want)), 1<<40))
		if len(want) == 8<<20 {
			return
		}
		if wantErr == nil && len(rest) == 0 {
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, error %v; the standard library reads %d", len(got), err, len(want))
			}
			return
		}
		if wantErr == nil {
			return // what follows was read as a trailer
		}
		if err == nil {
			t.Errorf("no error; the standard library says %v", wantErr)
		}
		if n := min(len(got), len(want)); !bytes.Equal(got[:n], want[:n]) {
			t.Errorf("other bytes before the error: %q, want %q", got, want)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	data := samples()["words"]
	packed := compress(b, data, 6)
	for name, open := range map[string]func(io.Reader) (io.Reader, error){
		"gunzip":    func(r io.Reader) (io.Reader, error) { return gunzip.NewReader(r) },
		"stdlib":    func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"klauspost": func(r io.Reader) (io.Reader, error) { return kgzip.NewReader(r) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				r, err := open(bytes.NewReader(packed))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, struct{ io.Reader }{r}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
