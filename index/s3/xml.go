package s3

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// parsePage reads the answer to ListObjectsV2. The document is as simple as XML can be, elements with text in them, and a listing has a million of
// them, so they are found here; encoding/xml takes ten times as long. What it does not expect is an error, never skipped.
func parsePage(text string) (*page, error) {
	d := document{rest: text, page: &page{objects: make([]object, 0, strings.Count(text, "<Contents>"))}}
	for d.rest != "" {
		if err := d.tag(); err != nil {
			return nil, fmt.Errorf("read a listing: %w", err)
		}
	}
	if len(d.open) > 0 || !d.closed {
		return nil, fmt.Errorf("read a listing: %w", io.ErrUnexpectedEOF)
	}
	return d.page, d.finish()
}

// document is what of an answer is read.
type document struct {
	rest   string
	open   []string // names of the elements that rest is in
	closed bool     // the root element has ended
	leaf   bool     // the last tag opened an element, so text is all that is in it

	page      *page
	object    object
	encoding  string
	truncated bool
}

// tag reads up to the end of the next tag.
func (d *document) tag() error {
	start := strings.IndexByte(d.rest, '<')
	if start < 0 {
		if strings.TrimSpace(d.rest) != "" {
			return io.ErrUnexpectedEOF
		}
		d.rest = ""
		return nil
	}
	text := d.rest[:start]
	d.rest = d.rest[start+1:]
	end := strings.IndexByte(d.rest, '>')
	if end < 0 {
		return io.ErrUnexpectedEOF
	}
	tag := d.rest[:end]
	d.rest = d.rest[end+1:]
	switch {
	case strings.HasPrefix(tag, "?"):
		return nil
	case tag == "" || tag[0] == '!':
		return fmt.Errorf("the server answers with something else than a listing: <%.20s>", tag)
	case tag[0] == '/':
		return d.end(strings.TrimSpace(tag[1:]), text)
	case strings.HasSuffix(tag, "/"): // an empty element
		name, _, _ := strings.Cut(tag[:len(tag)-1], " ")
		d.begin(name)
		return d.end(name, "")
	}
	name, _, _ := strings.Cut(tag, " ")
	d.begin(name)
	return nil
}

func (d *document) begin(name string) {
	d.open = append(d.open, name)
	d.leaf = true
	if len(d.open) == 2 && name == "Contents" {
		d.object = object{}
	}
}

func (d *document) end(name, text string) error {
	depth := len(d.open)
	if depth == 0 || d.open[depth-1] != name {
		return fmt.Errorf("</%.40s> ends no element", name)
	}
	defer func() { d.open, d.leaf = d.open[:depth-1], false }()
	switch {
	case depth == 1:
		d.closed = true
		if name != "ListBucketResult" {
			return fmt.Errorf("the server answers with %.40s, which is no listing", name)
		}
	case depth == 2 && name == "Contents":
		if d.object.key == "" {
			return errors.New("an object has no key")
		}
		d.page.objects = append(d.page.objects, d.object)
	case d.leaf && depth <= 3:
		value, err := unescape(text)
		if err != nil {
			return err
		}
		if depth == 2 {
			return d.field(name, value)
		}
		return d.part(d.open[1], name, value)
	}
	return nil
}

// field is an element of the listing itself.
func (d *document) field(name, value string) error {
	switch name {
	case "IsTruncated":
		d.truncated = value == "true"
	case "NextContinuationToken":
		d.page.next = value
	case "EncodingType":
		d.encoding = value
	}
	return nil
}

// part is an element of an object or of a common prefix.
func (d *document) part(of, name, value string) (err error) {
	if of == "CommonPrefixes" && name == "Prefix" {
		d.page.prefixes = append(d.page.prefixes, value)
	}
	if of != "Contents" {
		return nil
	}
	switch name {
	case "Key":
		d.object.key = value
	case "ETag":
		d.object.etag = strings.Trim(value, `"`)
	case "Size":
		d.object.size, err = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	case "LastModified":
		var at time.Time
		at, err = time.Parse(time.RFC3339, strings.TrimSpace(value))
		d.object.modified = at.Unix()
	}
	return err
}

// finish decodes the keys and finds the last one.
func (d *document) finish() error {
	p := d.page
	var err error
	decode := func(s string) string {
		if d.encoding != "url" { // some servers do not know it
			return s
		}
		out, bad := url.QueryUnescape(s)
		err = errors.Join(err, bad)
		return out
	}
	for i := range p.objects {
		p.objects[i].key = decode(p.objects[i].key)
		p.last = max(p.last, p.objects[i].key)
	}
	for i := range p.prefixes {
		p.prefixes[i] = decode(p.prefixes[i])
		p.last = max(p.last, p.prefixes[i])
	}
	switch {
	case err != nil:
		return fmt.Errorf("read a listing: %w", err)
	case !d.truncated:
		p.next = ""
	case p.next == "":
		return errors.New("the server cut a listing short and does not say where it goes on")
	}
	return nil
}

var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&")

// unescape reads the entities of a text.
func unescape(s string) (string, error) {
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	if strings.IndexByte(s, '&') < 0 {
		return s, nil
	}
	var out strings.Builder
	for {
		at := strings.IndexByte(s, '&')
		if at < 0 {
			out.WriteString(s)
			return out.String(), nil
		}
		end := strings.IndexByte(s[at:], ';')
		if end < 0 {
			return "", fmt.Errorf("the entity %.10q does not end", s[at:])
		}
		out.WriteString(s[:at])
		entity := s[at : at+end+1]
		s = s[at+end+1:]
		if number, ok := strings.CutPrefix(entity, "&#"); ok {
			digits, base := number[:len(number)-1], 10
			if hex, ok := strings.CutPrefix(digits, "x"); ok {
				digits, base = hex, 16
			}
			n, err := strconv.ParseUint(digits, base, 21)
			if err != nil {
				return "", fmt.Errorf("there is no character %.20q", entity)
			}
			out.WriteRune(rune(n))
			continue
		}
		text := entities.Replace(entity)
		if text == entity {
			return "", fmt.Errorf("there is no entity %.20q", entity)
		}
		out.WriteString(text)
	}
}
