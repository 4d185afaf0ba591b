package s3

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// segment is a part of the key space that one worker lists. What a segment lists and those behind it follow one another in the
// order of keys.
type segment struct {
	prefix string // what the server is asked for
	after  string // the last key that was listed, or where the listing begins; exclusive
	token  string // how to go on after a page without a key, else empty
	end    string // exclusive; empty: the end of the prefix
	mode   mode

	pages  []*page // listed, not yet consumed
	listed int     // how many pages
	owned  bool    // a worker lists it
	done   bool    // nothing is left to list

	splitting bool
	patience  int    // it is split when so many pages are listed
	flat      bool   // there are no folders behind after
	solid     bool   // it cannot be split
	first     string // the first key of the last page
	bold      int    // how much further in front than the last page tells the next guess is

	next *segment
}

// mode says how a segment is listed.
type mode int

const (
	all   mode = iota // every key, page by page
	none              // not at all
	walk              // by folders; those that the filter does not refuse become segments
	names             // as all, but when it is long by the first value of the file names
)

// accept cuts off what is behind the segment's end and takes over the rest.
func (s *segment) accept(p *page) {
	if s.end != "" {
		if at, _ := slices.BinarySearchFunc(p.objects, s.end, func(o object, end string) int { return strings.Compare(o.key, end) }); at < len(p.objects) {
			p.objects, p.next = p.objects[:at], ""
		}
	}
	s.token = p.next
	if len(p.objects) > 0 {
		s.token = ""
		s.first, s.after = p.objects[0].key, p.objects[len(p.objects)-1].key
	}
	s.pages = append(s.pages, p)
	s.listed++
	s.solid = false
	s.done = p.next == ""
}

// insert puts segments behind this one.
func (s *segment) insert(segments ...*segment) {
	for _, n := range slices.Backward(segments) {
		n.next, s.next = s.next, n
	}
}

// folderEnd is the exclusive end of the keys that begin with a prefix, as bytes to compare with: it need not be valid text.
func folderEnd(prefix string) string { return prefix[:len(prefix)-1] + string(prefix[len(prefix)-1]+1) }

// before is a text that is less than a prefix and all that begins with it, and greater than what comes before it in a listing by the
// prefix's last byte: x.gz and x-1/ come before x/, and so does this. Only names with a last character of Unicode may lie between.
func before(prefix string) string {
	last := len(prefix) - 1
	return prefix[:last] + string(prefix[last]-1) + string(utf8.MaxRune)
}

// request is what the next page is asked for.
func (s *segment) request() request { return request{prefix: s.prefix, after: s.after, token: s.token} }

// inside tells whether a key belongs to the segment.
func (s *segment) inside(key string) bool {
	return key > s.after && (s.end == "" || key < s.end)
}
