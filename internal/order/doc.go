// Package order compares the values of dimensions as what they mean, dates and versions, where the order of their characters
// is not enough.
package order
