package bundle

import (
	"bytes"
	"slices"
	"strings"
)

// lexPython splits a Python source into tokens. Comments vanish; an end token stands where a logical line ends, so lines
// inside brackets and after a backslash are one. It never fails: what is no Python yields tokens that mean nothing.
func lexPython(src []byte) []token {
	c := &cursor{src: bytes.TrimPrefix(src, []byte("\ufeff")), line: 1}
	var out []token
	depth := 0
	for c.more() {
		b, line, col := c.peek(0), c.line, c.pos-c.start
		switch {
		case b == '\n':
			c.next()
			if depth == 0 && len(out) > 0 && out[len(out)-1].kind != end {
				out = append(out, token{kind: end, line: line, col: col})
			}
		case isSpace(b):
			c.next()
		case b == '#':
			c.toLineEnd()
		case b == '\\' && (c.peek(1) == '\n' || c.peek(1) == '\r' && c.peek(2) == '\n'):
			c.take(2)
			if c.src[c.pos-1] == '\r' {
				c.next()
			}
		case b == '\'' || b == '"':
			out = append(out, token{kind: text, text: pythonString(c), line: line, col: col, depth: depth})
		case isDigit(b):
			out = append(out, token{kind: number, text: word(c), line: line, col: col, depth: depth})
		case isNameByte(b):
			w := word(c)
			// A prefix of a string (r, b, f, u and their pairs) is no name.
			if q := c.peek(0); (q == '\'' || q == '"') && len(w) <= 2 && strings.Trim(w, "rRbBfFuUtT") == "" {
				out = append(out, token{kind: text, text: pythonString(c), line: line, col: col, depth: depth})
				continue
			}
			out = append(out, token{kind: name, text: w, line: line, col: col, depth: depth})
		default:
			c.next()
			if strings.IndexByte(")]}", b) >= 0 && depth > 0 {
				depth--
			}
			out = append(out, token{kind: op, text: string(rune(b)), line: line, col: col, depth: depth})
			if strings.IndexByte("([{", b) >= 0 {
				depth++
			}
		}
	}
	return append(out, token{kind: end, line: c.line})
}

func word(c *cursor) string {
	start := c.pos
	for c.more() && isNameByte(c.peek(0)) {
		c.pos++
	}
	return string(c.src[start:c.pos])
}

// pythonString takes a string whose quote is next. One that is not closed ends with its line, or with the source when it has three quotes.
func pythonString(c *cursor) string {
	quote := c.next()
	long := c.peek(0) == quote && c.peek(1) == quote
	if long {
		c.take(2)
	}
	start := c.pos
	for c.more() {
		switch b := c.peek(0); {
		case b == '\\':
			c.take(2)
		case b == '\n' && !long:
			return string(c.src[start:c.pos])
		case b == quote && !long:
			c.next()
			return string(c.src[start : c.pos-1])
		case b == quote && c.peek(1) == quote && c.peek(2) == quote:
			c.take(3)
			return string(c.src[start : c.pos-3])
		default:
			c.next()
		}
	}
	return string(c.src[min(start, c.pos):c.pos])
}

// pythonImport is one imported module with the names taken from it.
type pythonImport struct {
	module  string // dotted; empty for `from . import x`
	dots    int    // how many dots stand before it; 0 is absolute
	from    bool
	names   []string          // of from … import; "*" for all
	aliases map[string]string // name in this file → name in the module, of from … import
	line    int
	guarded bool // inside try or if TYPE_CHECKING: it may be missing
}

// pythonImports finds the imports of a source, wherever they stand.
func pythonImports(tokens []token) []pythonImport {
	var out []pythonImport
	var blocks []int // columns of the try and if statements around the current line
	start := true
	guard := false // on this line: try: import x
	for i, t := range tokens {
		if t.kind == end {
			start = true
			continue
		}
		if first := i == 0 || tokens[i-1].kind == end; first {
			guard = t.is("try") || t.is("if") && slices.ContainsFunc(lineOf(tokens[i:]), func(t token) bool { return t.is("TYPE_CHECKING") })
			for len(blocks) > 0 && blocks[len(blocks)-1] >= t.col {
				blocks = blocks[:len(blocks)-1]
			}
			if guard {
				blocks = append(blocks, t.col)
			}
		}
		if start && t.kind == name && (t.text == "import" || t.text == "from") {
			found := pythonStatement(lineOf(tokens[i:]))
			for k := range found {
				found[k].guarded = guard || len(blocks) > 0
			}
			out = append(out, found...)
		}
		start = t.depth == 0 && (t.is(";") || t.is(":"))
	}
	return out
}

// lineOf is the tokens up to the end of the logical line.
func lineOf(tokens []token) []token {
	for i, t := range tokens {
		if t.kind == end {
			return tokens[:i]
		}
	}
	return tokens
}

// pythonStatement reads one import statement that starts at the first token; what follows a ; is left alone.
func pythonStatement(line []token) []pythonImport {
	if i := slices.IndexFunc(line, func(t token) bool { return t.depth == 0 && t.is(";") }); i >= 0 {
		line = line[:i]
	}
	i := 1
	dotted := func() string {
		var parts []string
		for at(line, i).kind == name && !at(line, i).is("import") && !at(line, i).is("as") {
			parts = append(parts, line[i].text)
			if i++; !at(line, i).is(".") {
				break
			}
			i++
		}
		return strings.Join(parts, ".")
	}
	if line[0].text == "import" {
		var out []pythonImport
		for {
			module := dotted()
			if module == "" {
				return out
			}
			out = append(out, pythonImport{module: module, line: line[0].line})
			if at(line, i).is("as") {
				i += 2
			}
			if !at(line, i).is(",") {
				return out
			}
			i++
		}
	}
	imp := pythonImport{from: true, line: line[0].line, aliases: map[string]string{}}
	for ; at(line, i).is("."); i++ {
		imp.dots++
	}
	imp.module = dotted()
	if !at(line, i).is("import") || imp.module == "" && imp.dots == 0 {
		return nil
	}
	for i++; i < len(line); i++ {
		t := line[i]
		if t.is("*") {
			imp.names = append(imp.names, "*")
		}
		if t.kind != name {
			continue
		}
		imp.names = append(imp.names, t.text)
		as := t.text
		if at(line, i+1).is("as") && at(line, i+2).kind == name {
			as = line[i+2].text
			i += 2
		}
		imp.aliases[as] = t.text
	}
	return []pythonImport{imp}
}

// pythonFunctions finds the functions of a module: def and async def at column 0, and names bound to them, to a lambda, or
// to what a call returns.
func pythonFunctions(tokens []token) map[string]Function {
	out := map[string]Function{}
	for i, t := range tokens {
		if t.kind != name || t.col != 0 || t.depth != 0 || i > 0 && tokens[i-1].kind != end {
			continue
		}
		j := i
		if t.text == "async" {
			j++
		}
		switch {
		case at(tokens, j).is("def") && at(tokens, j+1).kind == name && at(tokens, j+2).is("("):
			f := pythonParams(tokens[j+3 : max(j+3, closing(tokens, j+2))])
			f.Line = t.line
			out[tokens[j+1].text] = f
		case at(tokens, i+1).is("=") && !at(tokens, i+2).is("="):
			bindPython(out, lineOf(tokens[i:]))
		}
	}
	return out
}

// bindPython reads name = value, and name = name = value.
func bindPython(out map[string]Function, line []token) {
	var names []string
	i := 0
	for at(line, i).kind == name && at(line, i+1).is("=") && !at(line, i+2).is("=") {
		names = append(names, line[i].text)
		i += 2
	}
	f := Function{Variadic: true}
	value := line[i:]
	switch {
	case len(value) == 1 && value[0].kind == name:
		known, ok := out[value[0].text]
		if !ok {
			return // None, True, a class: whatever it is, nobody declared it as a function
		}
		f = known
	case len(value) == 1: // a number or a string
		return
	case at(value, 0).is("lambda"):
		colon := slices.IndexFunc(value, func(t token) bool { return t.depth == 0 && t.is(":") })
		if colon < 0 {
			return
		}
		f = pythonParams(value[1:colon])
	case at(value, 0).kind != name || !at(value, 1).is("(") && !at(value, 1).is("."):
		return // a literal or an expression; a call or an attribute may be a function
	}
	f.Line = line[0].line
	for _, n := range names {
		out[n] = f
	}
}

// pythonParams counts the positional parameters between the brackets of a def, or before the colon of a lambda.
func pythonParams(params []token) Function {
	var f Function
	if len(params) == 0 {
		return f
	}
	depth := params[0].depth
	keywordOnly := false
	for start := 0; start < len(params); {
		stop := start
		for lambdas := 0; stop < len(params); stop++ {
			t := params[stop]
			if t.depth != depth {
				continue
			}
			if t.is("lambda") {
				lambdas++
			}
			if lambdas > 0 && t.is(":") {
				lambdas--
			} else if lambdas == 0 && t.is(",") {
				break
			}
		}
		param := params[start:stop]
		start = stop + 1
		switch {
		case len(param) == 0 || param[0].is("/"):
		case param[0].is("*"):
			// *args takes any number; a bare * only ends the positional ones; **kw takes none.
			f.Variadic = f.Variadic || at(param, 1).kind == name
			keywordOnly = true
		case keywordOnly:
		default:
			f.Params++
			if slices.ContainsFunc(param, func(t token) bool { return t.depth == depth && t.is("=") }) {
				f.Optional++
			}
		}
	}
	return f
}
