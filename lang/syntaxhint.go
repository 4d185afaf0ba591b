package lang

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/tafc/tafc/internal/lazy"
)

// hint says of errors of HCL's parsers what those who do not know HCL yet probably wanted, and how that is written.
func hint(d *hcl.Diagnostic, src []byte) {
	if d.Subject == nil || d.Subject.Start.Byte > len(src) {
		return
	}
	at := d.Subject.Start.Byte
	start := bytes.LastIndexByte(src[:at], '\n') + 1
	line, _, _ := strings.Cut(string(src[start:]), "\n")
	next := byte('\n')
	if at < len(src) {
		next = src[at]
	}
	var text string
	switch {
	case d.Summary == "Argument or block definition required", d.Summary == "Invalid block definition":
		text = meantArgument(line)
		if text == "" && bytes.HasPrefix(bytes.TrimSpace(src), []byte("{")) {
			text = "This looks like JSON: an analysis in JSON is a file whose name ends in .taf.json."
		}
	case d.Summary == "Missing newline after block definition" && next == '}':
		text = "There is one closing brace too many, or one is missing before."
	case d.Summary == "Invalid expression" && (next == '\n' || next == '\r'):
		text = "There is no value behind the equals sign. Write one, or remove the line."
	case d.Summary == "Invalid single-argument block definition":
		text = "A block in one line holds at most one argument. Put each argument on a line of its own."
	case strings.HasPrefix(d.Summary, "Missing") && strings.HasSuffix(d.Summary, "separator") && strings.TrimSpace(string(src[start:at])) == "":
		d.Detail += " Or the bracket that was opened before is not closed: each ( and [ needs its ) or ]."
	case d.Summary == "Unterminated template string" && bytes.LastIndex(src[:at], []byte("<<")) >= 0:
		text = heredoc(d, src)
	case d.Summary == "Invalid multi-line string":
		text = "The text has no closing quote in its line. " + d.Detail
	case d.Summary == "Invalid JSON keyword" && len(bytes.TrimSpace(src[:at])) == 0:
		d.Detail += " This looks like HCL's native syntax: the name of such a file ends in .taf.hcl."
	case d.Summary == "Invalid object property name" && (next == '/' || next == '#'):
		text = "JSON has no comments. A property named \"//\" is one in HCL's JSON syntax: \"//\": \"why\"."
	}
	if text != "" {
		d.Detail = text
	}
}

var notEquals = lazy.Regexp(`^\s*([\pL_][\pL\p{Nd}_-]*)\s*(===?|:=?|>=|<=|=~|!=|>|<|\bin\b)\s*(.*?)\s*,?\s*$`)

// meantArgument is how a line is written that has something else in the place of the equals sign; empty when it has not.
func meantArgument(line string) string {
	m := notEquals().FindStringSubmatch(line)
	if m == nil {
		return ""
	}
	name, operator, value := m[1], m[2], m[3]
	switch operator {
	case ">=", ">":
		return fmt.Sprintf("A condition follows an equals sign. For values from a bound on write %s = atleast(%s).", name, value)
	case "<=", "<":
		return fmt.Sprintf("A condition follows an equals sign. For values up to a bound write %s = atmost(%s).", name, value)
	case "!=":
		return fmt.Sprintf("A condition follows an equals sign. To leave values out write exclude { %s = %s }.", name, value)
	case "=~":
		return fmt.Sprintf("A condition follows an equals sign. For a regular expression write %s = matches(%s).", name, value)
	case ":", ":=":
		if value == "" || value == "{" {
			return fmt.Sprintf("A block is written %s { … }, and an argument %s = VALUE. There are no colons.", name, name)
		}
	}
	return fmt.Sprintf("Between the name of an argument and its value stands one equals sign: %s = %s.", name, value)
}

// heredoc moves the error about a text that does not end to where it begins, because its end is that of the file.
func heredoc(d *hcl.Diagnostic, src []byte) string {
	tokens, _ := hclsyntax.LexConfig(src, d.Subject.Filename, hcl.InitialPos)
	for i := len(tokens) - 1; i >= 0; i-- {
		if tokens[i].Type == hclsyntax.TokenOHeredoc {
			begin := tokens[i].Range
			begin.End = begin.Start
			begin.End.Byte, begin.End.Column = begin.Start.Byte+2, begin.Start.Column+2
			d.Subject = &begin
			mark := strings.Trim(string(bytes.TrimSpace(tokens[i].Bytes)), "<-")
			return fmt.Sprintf("The text that begins here ends with a line that holds nothing but %s, and there is none.", mark)
		}
	}
	return ""
}

// otherTypes are the words of other languages for types of ours.
var otherTypes = map[string]string{
	"int": "number", "integer": "number", "float": "number", "double": "number", "str": "string", "text": "string", "boolean": "bool",
	"array": "list(string)", "dict": "map(string)", "hash": "map(string)",
}

// fileExtensions are ends of names of files that people write without quotes.
var fileExtensions = map[string]bool{
	"py": true, "js": true, "mjs": true, "cjs": true, "ts": true, "sh": true, "json": true, "csv": true, "txt": true, "db": true, "html": true,
}

// fileName is a reference that looks like the name of a file; empty when it does not.
func fileName(t hcl.Traversal) string {
	if len(t) != 2 {
		return ""
	}
	step, ok := t[1].(hcl.TraverseAttr)
	if !ok || !fileExtensions[step.Name] {
		return ""
	}
	return t.RootName() + "." + step.Name
}
