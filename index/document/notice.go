package document

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/apparentlymart/go-textseg/v15/textseg"

	"github.com/tafc/tafc/index"
)

// Notice is something to know about a Filter.json.
type Notice struct {
	Code    string // filter/…, stable
	Warning bool   // else an error: there is no filter
	Summary string
	Detail  string
	Place

	// Instead are conditions that could stand there, so that who has the index can say what each would match.
	Instead []Alternative
}

// Alternative is a condition that may be what was meant.
type Alternative struct {
	Write string // as the document would write it
	Term  index.Term
}

// Place is a part of a document. Lines and columns count from 1, columns in grapheme clusters; bytes count from 0.
type Place struct {
	Filename                    string
	Line, Column, Byte          int
	EndLine, EndColumn, EndByte int // behind the last character
}

// position is the line and column of a byte.
func position(src []byte, offset int) (line, column int) {
	before := src[:offset]
	line = 1 + bytes.Count(before, []byte("\n"))
	before = before[bytes.LastIndexByte(before, '\n')+1:]
	column, err := textseg.TokenCount(before, textseg.ScanGraphemeClusters)
	if err != nil { // ScanGraphemeClusters has no errors
		column = len(before)
	}
	return line, column + 1
}

func sortNotices(notices []Notice) {
	slices.SortStableFunc(notices, func(a, b Notice) int {
		return cmp.Or(cmp.Compare(a.Byte, b.Byte), cmp.Compare(a.EndByte, b.EndByte))
	})
}
