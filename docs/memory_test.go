package docs_test

import (
	"context"

	"github.com/tafc/tafc/index"
)

// memory is an index that holds some keys.
type memory struct {
	name string
	keys []string
}

func (m memory) String() string                           { return m.name }
func (m memory) Revision(context.Context) (string, error) { return "1", nil }
func (m memory) Layout() string                           { return "" }
func (m memory) Root() string                             { return "file:///data/" }
func (m memory) Close() error                             { return nil }

func (m memory) Scan(_ context.Context, fn func(index.File) error) error {
	for _, key := range m.keys {
		if err := fn(index.File{Key: []byte(key), Size: 1, ETag: []byte("v1")}); err != nil {
			return err
		}
	}
	return nil
}
