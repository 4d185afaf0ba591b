package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tafc/tafc/runtime/frame"
	"github.com/tafc/tafc/runtime/mapper"
)

// headPrinter prints records as they come, or puts them into the document.
type headPrinter struct {
	app   *app
	o     headOptions
	doc   *headDocument
	shown int64
}

// says tells how the file is held, and by what its records are read.
func (p *headPrinter) says(h *headInput) {
	d := p.doc
	compression := "not compressed"
	if d.Compression != "none" {
		compression = "compressed with " + d.Compression
	}
	if d.Misnamed {
		compression += ", whatever its name says"
	}
	format := "format " + d.Format
	switch {
	case d.Guessed:
		format += " (a guess: -format says otherwise)"
	case d.Stage != "":
		format += ", as " + bare(d.Stage) + " reads it"
	}
	fmt.Fprintf(p.app.streams.Err, "%s: %s, %s\n", d.File, compression, format)
	if len(h.spec.Fields) > 0 {
		fmt.Fprintf(p.app.streams.Err, "fields: %s\n", strings.Join(h.spec.Fields, ", "))
	}
	var dims []string
	for i, name := range h.spec.Dimensions {
		if i < len(d.Dims) {
			dims = append(dims, name+" = "+d.Dims[i])
		}
	}
	if len(dims) > 0 {
		fmt.Fprintf(p.app.streams.Err, "dims: %s\n", strings.Join(dims, ", "))
	}
}

// records shows as many records as are wanted. It reads one more, to know whether there is one.
func (p *headPrinter) records(in *mapper.Input) error {
	for {
		item, err := in.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !p.item(item) {
			p.doc.More = true
			return nil
		}
	}
}

// item shows what of an item is wanted; false: that and no more.
func (p *headPrinter) item(item frame.Item) bool {
	if b := item.Bad; b != nil {
		return p.record(headRecord{Record: b.Place.Record, Offset: b.Place.Offset, Bad: mapper.BadMessage(b)}, b.Raw)
	}
	for i := range item.Block.Len() {
		if !p.record(headRecord{Record: item.Block.Number(i), Offset: item.Block.Offsets[i]}, item.Block.Record(i)) {
			return false
		}
	}
	return true
}

func (p *headPrinter) record(r headRecord, text []byte) bool {
	if r.Record <= p.o.offset {
		return true
	}
	if p.shown == p.o.records {
		return false
	}
	p.shown++
	if p.o.json {
		if s := string(text); utf8.ValidString(s) {
			r.Text = &s
		} else {
			r.Base64 = text
		}
		p.doc.Records = append(p.doc.Records, r)
		return true
	}
	line := string(text)
	if r.Bad != "" {
		line = fmt.Sprintf("BAD, byte %d: %s: %s", r.Offset, r.Bad, line)
	}
	if p.app.streams.OutTerminal && !p.o.full {
		line = clip(line, p.app.streams.Width()-8)
	}
	fmt.Fprintf(p.app.streams.Out, "%6d  %s\n", r.Record, line)
	return true
}

// ends says what was not shown.
func (p *headPrinter) ends() {
	d, err := p.doc, p.app.streams.Err
	if d.Filtered > 0 {
		fmt.Fprintf(err, "Left out by where: %d of the records read.\n", d.Filtered)
	}
	switch {
	case d.Error != "" || p.shown > 0:
	case p.o.offset > 0:
		fmt.Fprintf(err, "No record is behind record %d.\n", p.o.offset)
	default:
		fmt.Fprintln(err, "No record.")
	}
}

// clip makes one line of a text that fits, in which nothing tells the terminal what to do.
func clip(text string, width int) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n >= max(width, 20) {
			return b.String() + "…"
		}
		if unicode.IsControl(r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}
