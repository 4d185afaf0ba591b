// Package atomicfile writes files that are there whole or not at all, on every system that Go knows. (The usual library for
// this does not build on Windows, where tafc must at least plan.)
package atomicfile
