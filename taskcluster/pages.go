package taskcluster

import (
	"context"
	"iter"
	"strconv"
)

func itoa(n int) string { return strconv.Itoa(n) }

// pages calls k for page after page until an answer has no token for another, however many entries it has. The result of
// k is a new page for each call.
func pages[Page, Entry any](ctx context.Context, c *caller, k call, limit int, entries func(*Page) ([]Entry, string)) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		token := ""
		for {
			page := new(Page)
			k.query, k.result = limited(limit, token), page
			if _, err := c.do(ctx, k); err != nil {
				var none Entry
				yield(none, err)
				return
			}
			list, next := entries(page)
			for _, entry := range list {
				if !yield(entry, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			token = next
		}
	}
}
