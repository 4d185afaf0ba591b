package tctest

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode"
)

const maxPage = 1000

// limits are how much one page of the call holds; ok is false when it holds nothing.
func (c *call) limit() int {
	limit := maxPage
	if given := c.query.Get("limit"); given != "" {
		n, _ := strconv.Atoi(given)
		limit = min(limit, n)
	}
	if most := c.s.options.PageSize; most > 0 {
		limit = min(limit, most)
	}
	return limit
}

// token is what follows the prefix in the token of the call; empty when the token is none, which starts again at the first page.
func (c *call) token(prefix string) string {
	text, err := base64.RawURLEncoding.DecodeString(c.query.Get("continuationToken"))
	if err != nil {
		return ""
	}
	rest, ok := strings.CutPrefix(string(text), prefix)
	if !ok {
		return ""
	}
	return rest
}

func newToken(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// page cuts one page out of a list in the order of its keys, and returns the token of the next. Entries that come or go between two
// pages shift nothing.
func page[T any](c *call, all []T, key func(T) string) ([]T, string) {
	after, limit := c.token("after:"), c.limit()
	start := 0
	for after != "" && start < len(all) && key(all[start]) <= after {
		start++
	}
	end := min(start+limit, len(all))
	if limit == 0 || end == len(all) {
		return all[start:end], ""
	}
	return all[start:end], newToken("after:" + key(all[end-1]))
}

// pageByNumber cuts pages as the batch calls do, by counting.
func pageByNumber[T any](c *call, all []T) ([]T, string) {
	start, _ := strconv.Atoi(c.token("from:"))
	start = min(start, len(all))
	end := min(start+c.limit(), len(all))
	if end == len(all) || c.limit() == 0 {
		return all[start:end], ""
	}
	return all[start:end], newToken("from:" + strconv.Itoa(end))
}

// collation is a key by which texts come in the order of the database: letters and digits first, then the rest.
func collation(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text) + "\x00" + text
}

func byCollation(a, b string) int { return strings.Compare(collation(a), collation(b)) }

func taskKey(t *task) string { return collation(t.id) }
