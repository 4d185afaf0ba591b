package usercode

import (
	"slices"
	"strings"

	"github.com/tafc/tafc/internal/lazy"
	"github.com/tafc/tafc/runtime/job"
)

var (
	quoted   = lazy.Regexp(`'[^']*'|"[^"]*"`)
	name     = lazy.Regexp(`^['"][A-Za-z_$][A-Za-z_$.-]{0,39}['"]$`)
	identity = lazy.Regexp(`\b[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b`)
	number   = lazy.Regexp(`\b(0x[0-9a-fA-F]+|\d+(\.\d+)*)\b`)
)

// naming are exceptions whose quoted words are names in the code or in the data, not values.
var naming = []string{
	"KeyError", "AttributeError", "NameError", "UnboundLocalError", "ImportError", "ModuleNotFoundError", "TypeError", "ReferenceError",
}

// signature is the same for failures of the same kind: the values in the message are left out.
func signature(kind, message, place string) string {
	text, _, _ := strings.Cut(message, "\n")
	keep := slices.Contains(naming, kind)
	text = quoted().ReplaceAllStringFunc(text, func(s string) string {
		if keep && name().MatchString(s) {
			return s
		}
		return s[:1] + "…" + s[:1]
	})
	text = identity().ReplaceAllString(text, "…")
	text = number().ReplaceAllString(text, "N")
	if r := []rune(text); len(r) > 200 {
		text = string(r[:200]) + "…"
	}
	text = headline(kind, text)
	if place != "" {
		text += " at " + place
	}
	return text
}

// headline is an exception in a line.
func headline(kind, message string) string {
	switch {
	case kind == "":
		return message
	case message == "":
		return kind
	}
	return kind + ": " + message
}

// newError makes an Error of what a helper says. kind is parse, code or bug.
func newError(kind string, f failure) *Error {
	e := &Error{
		Cause:     job.CauseCode,
		Message:   headline(f.Type, f.Message),
		Signature: signature(f.Type, f.Message, f.Place),
		Stack:     f.Stack,
		Hint:      f.Hint,
	}
	switch {
	case kind == "parse":
		e.Cause = job.CauseCorrupt
	case kind == "bug":
		e.Cause = job.CauseBug
	case f.Type == "MemoryError":
		e.Cause = job.CauseMemory
	}
	return e
}
