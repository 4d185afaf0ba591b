package taskcluster

import (
	"encoding/json"
	"fmt"
	"html"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"unicode"

	"github.com/tafc/tafc/taskcluster/scope"
)

const (
	maxMessage = 500 // characters of a message that are kept
	maxDetails = 20
)

// parseError makes an Error of an answer. The whole message is Markdown with a trailer, and the answer repeats the request: what
// is kept is the first paragraph, lists of faults, and the scopes that were missing.
func parseError(status int, contentType string, body []byte) *Error {
	e := &Error{StatusCode: status}
	var answer struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Reason  string `json:"reason"` // of error artifacts
		Error   string `json:"error"`  // of the router
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		e.Message = foreign(status, contentType, body)
		return e
	}
	e.Code, e.reason = oneLine(answer.Code), oneLine(answer.Reason)
	switch {
	case answer.Message == "" && answer.Error == "":
		e.Message = foreign(status, contentType, nil)
	case answer.Message == "":
		e.Message = oneLine(answer.Error)
	case status >= 500:
		first, _, _ := strings.Cut(strings.TrimSpace(answer.Message), "\n")
		first, _, _ = strings.Cut(first, " Error (not shown in production)")
		e.Message = oneLine(first)
	default:
		e.Message, e.Details = paragraph(answer.Message)
	}
	if e.Code == CodeInsufficientScopes {
		e.Missing = missingScopes(answer.Message)
	}
	return e
}

// paragraph splits the first paragraph of a message from the items of lists in it and directly after it.
func paragraph(message string) (text string, items []string) {
	var words []string
	for line := range strings.Lines(strings.TrimSpace(message)) {
		line = strings.TrimSpace(line)
		item, isItem := strings.CutPrefix(line, "* ")
		switch {
		case line == "" || line == "---" || strings.HasPrefix(line, "```"):
			return oneLine(strings.Join(words, " ")), items
		case strings.HasPrefix(line, "Rejecting Schema:") || line == "Errors:":
		case isItem && len(items) == maxDetails:
			items = append(items, "…")
		case isItem && len(items) < maxDetails:
			items = append(items, oneLine(item))
		case !isItem && len(items) == 0:
			before, _, object := strings.Cut(line, "{") // objects are what was sent or stored
			if object {
				return oneLine(strings.Join(append(words, strings.TrimRight(before, ": ")), " ")), items
			}
			words = append(words, line)
		}
	}
	return oneLine(strings.Join(words, " ")), items
}

// missingScopes reads the scopes that a 403 says are missing: the first block of code, which is a scope or JSON.
func missingScopes(message string) scope.Expression {
	_, rest, _ := strings.Cut(message, "```")
	block, _, closed := strings.Cut(rest, "```")
	block = strings.TrimSpace(block)
	if !closed || block == "" {
		return scope.Expression{}
	}
	var e scope.Expression
	if json.Unmarshal([]byte(block), &e) != nil {
		e = scope.Expression{Scope: block}
	}
	if !e.Valid() {
		return scope.Expression{}
	}
	return e
}

var title = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)

// foreign describes an answer that is not from a service but from something before it.
func foreign(status int, contentType string, body []byte) string {
	text := http.StatusText(status)
	if m := title.FindSubmatch(body); m != nil {
		text = oneLine(html.UnescapeString(string(m[1])))
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || kind == "" {
		kind = "no known type"
	}
	return strings.TrimSpace(fmt.Sprintf("%s (an answer of %s, not of a Taskcluster service)", text, oneLine(kind)))
}

// oneLine makes text printable on one line, and not too long.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "�")), " ")
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
	if runes := []rune(text); len(runes) > maxMessage {
		return string(runes[:maxMessage]) + "…"
	}
	return text
}
