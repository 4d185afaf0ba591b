package service

import (
	"bytes"
	"time"

	"github.com/tafc/tafc/index"
)

// SetPause makes the pauses between attempts short.
func SetPause(s *Source, d time.Duration) { s.pause = d }

// Decode reads an answer.
func Decode(data []byte, fn func(index.File) error) (int, error) {
	return decode(bytes.NewReader(data), fn)
}
