package diag

import (
	"bytes"
	"unicode/utf8"

	"github.com/apparentlymart/go-textseg/v15/textseg"
)

// InCodePoints is a range whose columns count Unicode code points, for formats that do not know grapheme clusters. Where the
// source is not at hand the columns stay as they are.
func (r *Report) InCodePoints(rng Range) Range {
	src, ok := r.sources[rng.Filename]
	if !ok {
		return rng
	}
	rng.Start.Column = codePoints(lineOf(src, rng.Start.Line), rng.Start.Column)
	rng.End.Column = codePoints(lineOf(src, rng.End.Line), rng.End.Column)
	return rng
}

// codePoints turns a column in grapheme clusters into one in code points.
func codePoints(line []byte, column int) int {
	points := 1
	for i := 1; i < column; i++ {
		n, cluster, err := textseg.ScanGraphemeClusters(line, true)
		if err != nil || n == 0 {
			return points + column - i // beyond the end of the line
		}
		points += utf8.RuneCount(cluster)
		line = line[n:]
	}
	return points
}

// lineOf is a line of a source by its number from 1, without its end; nil when there is none.
func lineOf(src []byte, number int) []byte {
	if number < 1 {
		return nil
	}
	for range number - 1 {
		_, rest, more := bytes.Cut(src, []byte{'\n'})
		if !more {
			return nil
		}
		src = rest
	}
	line, _, _ := bytes.Cut(src, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'})
}
