// Package pymarshal writes JSON as Python's module marshal does. marshal reads that five times as fast as json reads the text, and
// gives the same objects.
package pymarshal
