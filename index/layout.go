package index

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// The layouts that have a name.
const (
	// Telemetry is the layout of the published telemetry buckets.
	Telemetry         = "telemetry"
	telemetryTemplate = "{reason}/{appName}/{appUpdateChannel}/{appVersion}/{appBuildID}.{submission_date:date}.{rest}"

	// TelemetryHeka is the layout of the later pipeline: nine folders, then any file name.
	TelemetryHeka = "telemetry-heka"
	hekaTemplate  = "{prefix}/{submissionDate:date}/{sourceName}/{sourceVersion}/{docType}/{appName}/{appUpdateChannel}/{appVersion}/{appBuildId}/{rest}"
)

// LayoutNames are the names that ParseLayout knows besides templates, in the order in which a Detector tries them.
func LayoutNames() []string { return []string{Telemetry, TelemetryHeka} }

func builtin(name string) (template string, ok bool) {
	switch name {
	case Telemetry:
		return telemetryTemplate, true
	case TelemetryHeka:
		return hekaTemplate, true
	}
	return "", false
}

// Layout reads the dimensions of a file out of its key. It is immutable.
//
// A key fits when it has exactly the layout's number of components, and each component has the literals of its pattern. The
// literals at a component's start and end stand where they stand; those between are taken at their first occurrence, so that
// every placeholder but the last is as short as possible. Values may be empty. A key that ends with a slash is a folder
// marker and fits no layout.
type Layout struct {
	name       string // of a built-in, else empty
	template   string
	dimensions []string
	date       int // index of the date dimension, -1: none
	components []component
	columns    bool // the values are in columns of a table: no key fits
}

// component is the pattern of what stands between two slashes: prefix hole literal hole literal … hole suffix.
type component struct {
	prefix, suffix []byte
	holes          []int    // index of the dimension, or rest
	between        [][]byte // len(holes)-1 literals, none of them empty
}

// rest is a hole that is not a dimension.
const rest = -1

// Dimensions are the names of the dimensions in the order of the template.
func (l *Layout) Dimensions() []string { return slices.Clone(l.dimensions) }

// DateDimension is the name of the date dimension, or empty when there is none.
func (l *Layout) DateDimension() string {
	if l.date < 0 {
		return ""
	}
	return l.dimensions[l.date]
}

// String is what ParseLayout makes this layout of: the name of a built-in layout, or the template.
func (l *Layout) String() string {
	if l.name != "" {
		return l.name
	}
	return l.template
}

// InColumns tells whether the values of the dimensions are in columns of a table, so that no key fits the layout.
func (l *Layout) InColumns() bool { return l.columns }

// Template is the template, also of a built-in layout.
func (l *Layout) Template() string { return l.template }

// RecordFormat is the format of the records in the files of this layout when the layout tells: "telemetry", else empty.
func (l *Layout) RecordFormat() string {
	if l.name != "" {
		return "telemetry"
	}
	return ""
}

// Match puts the values of the key's dimensions into dims, which has room for all of them, and tells whether the key
// fits. The values are parts of key, not copies. When the key does not fit, what dims holds means nothing.
func (l *Layout) Match(key []byte, dims [][]byte) bool {
	if l.columns {
		return false
	}
	split := bytes.LastIndexByte(key, '/') + 1
	return l.matchFolders(key[:split], dims) && l.matchName(key[split:], dims)
}

// matchFolders is the part of Match that is about the key up to and with its last slash.
func (l *Layout) matchFolders(folders []byte, dims [][]byte) bool {
	for i := range len(l.components) - 1 {
		end := bytes.IndexByte(folders, '/')
		if end < 0 || !l.components[i].match(folders[:end], dims) {
			return false
		}
		folders = folders[end+1:]
	}
	return len(folders) == 0
}

// matchName is the part of Match that is about what follows the last slash. An empty name is that of a folder marker.
func (l *Layout) matchName(name []byte, dims [][]byte) bool {
	return len(name) > 0 && l.components[len(l.components)-1].match(name, dims)
}

func (c *component) match(part []byte, dims [][]byte) bool {
	if len(part) < len(c.prefix)+len(c.suffix) || !bytes.HasPrefix(part, c.prefix) || !bytes.HasSuffix(part, c.suffix) {
		return false
	}
	if len(c.holes) == 0 {
		return len(part) == len(c.prefix)
	}
	part = part[len(c.prefix) : len(part)-len(c.suffix)]
	for i, dim := range c.holes {
		value := part
		if i < len(c.between) {
			at := bytes.Index(part, c.between[i])
			if at < 0 {
				return false
			}
			value, part = part[:at], part[at+len(c.between[i]):]
		}
		if dim != rest {
			dims[dim] = value
		}
	}
	return true
}

// Detector finds out which built-in layout the keys of an index have.
type Detector struct {
	keys int
	fit  []int
	dims [][]byte
	try  []*Layout
}

// NewDetector returns a Detector that has seen no key.
func NewDetector() *Detector {
	d := &Detector{}
	for _, name := range LayoutNames() {
		l, err := ParseLayout(name)
		if err != nil {
			panic(fmt.Sprintf("built-in layout %s: %v", name, err)) // a constant of this file is wrong
		}
		d.try = append(d.try, l)
		d.dims = make([][]byte, max(len(d.dims), len(l.dimensions)))
	}
	d.fit = make([]int, len(d.try))
	return d
}

// Add counts one key.
func (d *Detector) Add(key []byte) {
	d.keys++
	for i, l := range d.try {
		if l.Match(key, d.dims) {
			d.fit[i]++
		}
	}
}

// Layout is the first built-in layout that at least half of the keys fit, and how many do, or nil.
func (d *Detector) Layout() (layout *Layout, fit int) {
	for i, l := range d.try {
		if d.keys > 0 && d.fit[i]*2 >= d.keys {
			return l, d.fit[i]
		}
	}
	return nil, 0
}

// DetectLayout is the first built-in layout that at least half of the keys fit, or nil.
func DetectLayout(keys []string) *Layout {
	d := NewDetector()
	for _, key := range keys {
		d.Add([]byte(key))
	}
	layout, _ := d.Layout()
	return layout
}

// layoutHelp ends every message about a wrong layout.
func layoutHelp() string {
	return "write " + strings.Join(LayoutNames(), ", ") + ", or a template such as {country}/{day:date}/{rest}"
}
