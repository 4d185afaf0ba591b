package bundle

// kind tells tokens apart.
type kind byte

const (
	name   kind = iota // identifier or keyword
	text               // string literal; token.text is what is between the quotes, escapes as written
	number             //
	op                 // one character of punctuation, or => in JavaScript
	end                // of a logical line (Python), of a source line (JavaScript)
)

// token is what the lexers see of a source: enough to find imports and functions.
type token struct {
	kind  kind
	text  string
	line  int // from 1
	col   int // from 0, of the token in its line; Python's tab counts as one
	depth int // of brackets around it; an opening or closing bracket has the depth of what is outside
}

// is tells whether the token is this name or operator (not a string that reads so).
func (t token) is(s string) bool { return (t.kind == name || t.kind == op) && t.text == s }

// at is the token i, or an end when there is none.
func at(tokens []token, i int) token {
	if i < 0 || i >= len(tokens) {
		return token{kind: end}
	}
	return tokens[i]
}

// closing is the index of the bracket that closes the one at i, or len(tokens).
func closing(tokens []token, i int) int {
	depth := tokens[i].depth
	for j := i + 1; j < len(tokens); j++ {
		if t := tokens[j]; t.kind == op && t.depth == depth && (t.text == ")" || t.text == "]" || t.text == "}") {
			return j
		}
	}
	return len(tokens)
}

// cursor walks over a source, counting lines.
type cursor struct {
	src   []byte
	pos   int
	line  int
	start int // position where the line starts
}

func (c *cursor) more() bool { return c.pos < len(c.src) }

// peek is the byte n places ahead, 0 at the end.
func (c *cursor) peek(n int) byte {
	if c.pos+n >= len(c.src) {
		return 0
	}
	return c.src[c.pos+n]
}

// next takes one byte.
func (c *cursor) next() byte {
	b := c.src[c.pos]
	c.pos++
	if b == '\n' {
		c.line++
		c.start = c.pos
	}
	return b
}

// take moves over n bytes, fewer at the end.
func (c *cursor) take(n int) {
	for ; n > 0 && c.more(); n-- {
		c.next()
	}
}

// toLineEnd moves to the newline, or the end.
func (c *cursor) toLineEnd() {
	for c.more() && c.peek(0) != '\n' {
		c.pos++
	}
}

func isNameByte(b byte) bool {
	return b == '_' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b >= 0x80
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\f' || b == '\v' }
