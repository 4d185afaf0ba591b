package index

import "slices"

// Folders is how many folders stand before the file name in a key.
func (l *Layout) Folders() int { return len(l.components) - 1 }

// FolderOf tells in which folder of a key the value of a dimension stands, counted from 0; for a value in the file name that is
// Folders(). It is -1 when there is no such dimension.
func (l *Layout) FolderOf(dimension string) int {
	d := slices.Index(l.dimensions, dimension)
	if d < 0 {
		return -1
	}
	return slices.IndexFunc(l.components, func(c component) bool { return slices.Contains(c.holes, d) })
}

// FileName tells how file names begin: with a literal, which may be empty, and the value of a dimension that ends at the first
// delimiter. It is false when they begin otherwise.
func (l *Layout) FileName() (literal, dimension, delimiter string, ok bool) {
	c := &l.components[len(l.components)-1]
	if len(c.holes) < 2 || c.holes[0] == rest {
		return "", "", "", false
	}
	return string(c.prefix), l.dimensions[c.holes[0]], string(c.between[0]), true
}
