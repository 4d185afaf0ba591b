// Package jsonvalue compares JSON values as tests do: numbers by what they are and not by how they are written, objects whatever
// the order of their members, floats within a tolerance; and says where two values differ.
package jsonvalue
