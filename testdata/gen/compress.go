package main

import (
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// compress packs data as the writers of its time did: LZMA-alone of unknown size with an end marker and one of two dictionary
// sizes; every second xz file in two streams, as after an append.
func compress(ext string, data []byte, i int) ([]byte, error) {
	var out bytes.Buffer
	pack := func(w io.WriteCloser, err error, part []byte) error {
		if err != nil {
			return err
		}
		if _, err := w.Write(part); err != nil {
			return err
		}
		return w.Close()
	}
	switch ext {
	case "lzma":
		dictionary := 8 << 20
		if i%2 == 1 {
			dictionary = 256 << 10
		}
		w, err := lzma.WriterConfig{DictCap: dictionary, SizeInHeader: false, EOSMarker: true}.NewWriter(&out)
		err = pack(w, err, data)
		return out.Bytes(), err
	case "xz":
		parts := [][]byte{data}
		if half := bytes.IndexByte(data[len(data)/2:], '\n'); i%2 == 1 && half >= 0 {
			cut := len(data)/2 + half + 1
			parts = [][]byte{data[:cut], data[cut:]}
		}
		for _, part := range parts {
			w, err := xz.WriterConfig{CheckSum: xz.CRC64}.NewWriter(&out)
			if err := pack(w, err, part); err != nil {
				return nil, err
			}
		}
		return out.Bytes(), nil
	case "gz":
		w, err := gzip.NewWriterLevel(&out, 6)
		err = pack(w, err, data)
		return out.Bytes(), err
	case "zst":
		w, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
		err = pack(w, err, data)
		return out.Bytes(), err
	case "none", "log":
		return data, nil
	}
	return nil, fmt.Errorf("no such compression: take lzma, xz, gz, zst or none")
}
