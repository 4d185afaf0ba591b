package lang

import (
	"encoding/json"
	"reflect"
	"strconv"

	"github.com/apparentlymart/go-textseg/v15/textseg"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// places knows where each byte of a text stands in the JSON file that it was written in, escapes and all.
type places struct {
	filename string
	whole    hcl.Range
	at       []hcl.Pos // by byte of the text, its end included; nil: unknown
}

// newPlaces follows a text of a JSON file; rng is its range, with the quotes.
func newPlaces(src []byte, rng hcl.Range, text string) *places {
	p := &places{filename: rng.Filename, whole: rng}
	if !rng.CanSliceBytes(src) || rng.End.Byte-rng.Start.Byte < 2 {
		return p
	}
	raw := src[rng.Start.Byte+1 : rng.End.Byte-1]
	pos := rng.Start
	pos.Byte, pos.Column = pos.Byte+1, pos.Column+1
	for len(raw) > 0 {
		n, size := unit(raw)
		for range size {
			p.at = append(p.at, pos)
		}
		columns, _ := textseg.TokenCount(raw[:n], textseg.ScanGraphemeClusters)
		pos.Byte, pos.Column = pos.Byte+n, pos.Column+columns
		raw = raw[n:]
	}
	p.at = append(p.at, pos)
	if len(p.at) != len(text)+1 {
		p.at = nil
	}
	return p
}

// unit is the length of the first escape or grapheme cluster of a raw JSON text, and how many bytes of the text it stands for.
func unit(raw []byte) (n, size int) {
	if raw[0] != '\\' {
		_, cluster, _ := textseg.ScanGraphemeClusters(raw, true)
		for i, c := range cluster {
			if c == '\\' {
				return i, i
			}
		}
		return len(cluster), len(cluster)
	}
	n = 2
	if len(raw) >= 6 && raw[1] == 'u' {
		n = 6
		if high, err := strconv.ParseUint(string(raw[2:6]), 16, 16); err == nil && high>>10 == 0xD800>>10 && len(raw) >= 12 && raw[6] == '\\' && raw[7] == 'u' {
			if low, err := strconv.ParseUint(string(raw[8:12]), 16, 16); err == nil && low>>10 == 0xDC00>>10 {
				n = 12
			}
		}
	}
	n = min(n, len(raw))
	var s string
	if json.Unmarshal([]byte(`"`+string(raw[:n])+`"`), &s) != nil {
		return n, n
	}
	return n, len(s)
}

// marker is the file name of ranges that are relative to the text.
func (p *places) marker() string { return "\x00" + p.filename }

func (p *places) pos(at hcl.Pos) hcl.Pos {
	return p.at[min(max(at.Byte, 0), len(p.at)-1)]
}

func (p *places) rng(r hcl.Range) hcl.Range {
	switch {
	case r.Filename != p.marker():
		return r
	case p.at == nil:
		return p.whole
	}
	return hcl.Range{Filename: p.filename, Start: p.pos(r.Start), End: p.pos(r.End)}
}

// move gives every range inside of a node or a diagnostic its place in the file.
func (p *places) move(node any) { p.moveValue(reflect.ValueOf(node), map[any]bool{}) }

var (
	rangeType = reflect.TypeFor[hcl.Range]()
	ctyTypes  = []reflect.Type{reflect.TypeFor[cty.Value](), reflect.TypeFor[cty.Type]()}
)

func (p *places) moveValue(v reflect.Value, seen map[any]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && !seen[v.Interface()] {
			seen[v.Interface()] = true
			p.moveValue(v.Elem(), seen)
		}
	case reflect.Interface:
		if v.IsNil() {
			return
		}
		if v.Elem().Kind() == reflect.Struct && v.CanSet() { // it lies in the interface: move a copy
			moved := reflect.New(v.Elem().Type()).Elem()
			moved.Set(v.Elem())
			p.moveValue(moved, seen)
			v.Set(moved)
			return
		}
		p.moveValue(v.Elem(), seen)
	case reflect.Slice:
		for i := range v.Len() {
			p.moveValue(v.Index(i), seen)
		}
	case reflect.Struct:
		switch {
		case v.Type() == rangeType:
			if v.CanSet() {
				v.Set(reflect.ValueOf(p.rng(v.Interface().(hcl.Range))))
			}
		case v.Type() == ctyTypes[0] || v.Type() == ctyTypes[1]:
		default:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					p.moveValue(v.Field(i), seen)
				}
			}
		}
	}
}
