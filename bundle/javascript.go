package bundle

import (
	"slices"
	"strings"
)

// lexJS splits a JavaScript source into tokens. Comments, regular expressions and the text of templates with values in them
// vanish; strings and plain templates are text tokens. It never fails.
func lexJS(src []byte) []token {
	l := &jsLexer{cursor: cursor{src: src, line: 1}}
	if l.peek(0) == '#' && l.peek(1) == '!' {
		l.toLineEnd()
	}
	for l.more() {
		l.step()
	}
	return append(l.out, token{kind: end, line: l.line})
}

// jsLexer holds one lexJS.
type jsLexer struct {
	cursor
	out       []token
	depth     int
	templates []int // depths of the ${ that are open
}

// step takes one token, or what is none.
func (l *jsLexer) step() {
	b, line, col := l.peek(0), l.line, l.pos-l.start
	add := func(k kind, s string) {
		l.out = append(l.out, token{kind: k, text: s, line: line, col: col, depth: l.depth})
	}
	switch {
	case b == '\n':
		l.next()
		if n := len(l.out); n > 0 && l.out[n-1].kind != end {
			add(end, "")
		}
	case isSpace(b):
		l.next()
	case b == '/' && l.peek(1) == '/':
		l.toLineEnd()
	case b == '/' && l.peek(1) == '*':
		l.comment()
	case b == '/' && regexpMayStart(l.out):
		jsRegexp(&l.cursor)
		add(number, "/")
	case b == '\'' || b == '"':
		add(text, jsString(&l.cursor))
	case b == '`' || b == '}' && l.endsValue():
		l.template(add)
	case isDigit(b):
		add(number, word(&l.cursor))
	case isNameByte(b) || b == '$':
		add(name, jsWord(&l.cursor))
	case b == '=' && l.peek(1) == '>':
		l.take(2)
		add(op, "=>")
	default:
		l.next()
		if strings.IndexByte(")]}", b) >= 0 && l.depth > 0 {
			l.depth--
		}
		add(op, string(rune(b)))
		if strings.IndexByte("([{", b) >= 0 {
			l.depth++
		}
	}
}

func (l *jsLexer) comment() {
	l.take(2)
	for l.more() && !(l.peek(0) == '*' && l.peek(1) == '/') {
		l.next()
	}
	l.take(2)
}

// endsValue tells whether a } here ends a ${…}.
func (l *jsLexer) endsValue() bool {
	n := len(l.templates)
	return n > 0 && l.templates[n-1] == l.depth-1
}

// template takes the text from a ` or from the end of a ${…} to the end of the template or to its next value.
func (l *jsLexer) template(add func(kind, string)) {
	starts := l.next() == '`'
	s, ended := jsTemplate(&l.cursor)
	switch {
	case starts && ended:
		add(text, s)
	case starts:
		add(number, "`")
		l.templates = append(l.templates, l.depth)
		l.depth++
	case ended:
		l.depth--
		l.templates = l.templates[:len(l.templates)-1]
	}
}

// regexpMayStart tells whether a / here starts a regular expression: it does where a value may start.
func regexpMayStart(before []token) bool {
	i := len(before) - 1
	for i >= 0 && before[i].kind == end {
		i--
	}
	switch t := at(before, i); t.kind {
	case end:
		return true
	case name:
		return slices.Contains([]string{"return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "do", "else", "instanceof", "yield", "await"}, t.text)
	case op:
		return t.text != ")" && t.text != "]" && t.text != "}"
	}
	return false
}

func jsRegexp(c *cursor) {
	c.next()
	for class := false; c.more() && c.peek(0) != '\n'; {
		switch b := c.next(); {
		case b == '\\' && c.more() && c.peek(0) != '\n':
			c.next()
		case b == '[':
			class = true
		case b == ']':
			class = false
		case b == '/' && !class:
			word(c) // the flags
			return
		}
	}
}

func jsWord(c *cursor) string {
	start := c.pos
	for c.more() && (isNameByte(c.peek(0)) || c.peek(0) == '$') {
		c.pos++
	}
	return string(c.src[start:c.pos])
}

// jsString takes a string whose quote is next. One that is not closed ends with its line.
func jsString(c *cursor) string {
	quote := c.next()
	start := c.pos
	for c.more() && c.peek(0) != '\n' {
		switch c.peek(0) {
		case '\\':
			c.take(2)
		case quote:
			c.next()
			return string(c.src[start : c.pos-1])
		default:
			c.next()
		}
	}
	return string(c.src[start:c.pos])
}

// jsTemplate takes the text of a template up to its end (ended) or behind the next ${.
func jsTemplate(c *cursor) (s string, ended bool) {
	start := c.pos
	for c.more() {
		switch {
		case c.peek(0) == '\\':
			c.take(2)
		case c.peek(0) == '`':
			c.next()
			return string(c.src[start : c.pos-1]), true
		case c.peek(0) == '$' && c.peek(1) == '{':
			c.take(2)
			return string(c.src[start : c.pos-2]), false
		default:
			c.next()
		}
	}
	return string(c.src[start:c.pos]), true
}

// jsImport is one module that a source loads.
type jsImport struct {
	module  string
	line    int
	guarded bool // inside a try block: it may be missing
}

// jsImports finds require('x'), import 'x', import … from 'x', import('x') and export … from 'x'.
func jsImports(tokens []token) []jsImport {
	tokens = withoutEnds(tokens)
	var out []jsImport
	var try []int // depths of the try blocks around the token
	for i, t := range tokens {
		if t.is("{") && at(tokens, i-1).is("try") {
			try = append(try, t.depth)
		}
		if n := len(try); n > 0 && t.is("}") && t.depth == try[n-1] {
			try = try[:n-1]
		}
		if t.kind != name || at(tokens, i-1).is(".") {
			continue
		}
		var from token
		switch t.text {
		case "require":
			if at(tokens, i+1).is("(") && (at(tokens, i+3).is(")") || at(tokens, i+3).is(",")) {
				from = at(tokens, i+2)
			}
		case "import":
			if next := at(tokens, i+1); next.is("(") {
				from = at(tokens, i+2)
			} else if next.kind == text {
				from = next
			} else {
				from = jsFrom(tokens[i+1:])
			}
		case "export":
			if next := at(tokens, i+1); next.is("{") || next.is("*") {
				from = jsFrom(tokens[i+1:])
			}
		}
		if from.kind == text {
			out = append(out, jsImport{module: from.text, line: t.line, guarded: len(try) > 0})
		}
	}
	return out
}

// jsFrom is the string behind `from`, when only what may stand in an import's list comes before it.
func jsFrom(tokens []token) token {
	for i, t := range tokens {
		switch {
		case t.is("from") && at(tokens, i+1).kind == text:
			return tokens[i+1]
		case t.is("import") || t.is("export"): // another statement
			return token{kind: end}
		case t.kind == name || t.kind == text || t.is("{") || t.is("}") || t.is(",") || t.is("*"):
		default:
			return token{kind: end}
		}
	}
	return token{kind: end}
}

func withoutEnds(tokens []token) []token {
	out := make([]token, 0, len(tokens))
	for _, t := range tokens {
		if t.kind != end {
			out = append(out, t)
		}
	}
	return out
}
