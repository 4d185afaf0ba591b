//go:build !linux

package index

func populate[T any]([]T) {}
