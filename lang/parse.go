package lang

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/tafc/tafc/internal/diag"
)

// MaxSize is the most bytes of an analysis. What is larger is another file, given by mistake.
const MaxSize = 4 << 20

// maxDepth is how deep brackets, templates and operators may be nested: HCL's parser calls itself for each.
const maxDepth = 500

// Parse reads an analysis in the syntax that its name says: *.json is HCL's JSON syntax, anything else the native one. Either way
// the body of the file is an *hclsyntax.Body. Beside what HCL's parsers find it refuses what is no text, and it reports one error for
// each cause: the parser goes on after an error and then stumbles over the same thing again. The file is never nil; its body is only
// complete without errors.
func Parse(filename string, src []byte) (*hcl.File, hcl.Diagnostics) {
	body, _, diags := parse(filename, src, &file)
	return &hcl.File{Body: body, Bytes: src}, diags
}

// parse is Parse with the schema that tells blocks from arguments in JSON. The body is complete when it is known what the file says,
// which in JSON can be so in spite of errors.
func parse(filename string, src []byte, schema *BlockSchema) (body *hclsyntax.Body, complete bool, diags hcl.Diagnostics) {
	body = &hclsyntax.Body{}
	if d := notText(filename, src); d != nil {
		return body, false, hcl.Diagnostics{d}
	}
	if isJSON(filename) {
		if d := tooDeepJSON(filename, src); d != nil {
			return body, false, hcl.Diagnostics{d}
		}
		complete, diags = parseJSON(body, filename, src, schema)
	} else {
		if d := tooDeep(filename, src, hclsyntax.LexConfig); d != nil {
			return body, false, hcl.Diagnostics{d}
		}
		var f *hcl.File
		if f, diags = hclsyntax.ParseConfig(src, filename, hcl.InitialPos); f != nil {
			body = f.Body.(*hclsyntax.Body)
		}
		complete, diags = !diags.HasErrors(), causes(diags)
	}
	diags = inside(diag.WithCode(diag.SyntaxCode, diags), filename, src)
	for _, d := range diags {
		hint(d, src)
	}
	return body, complete, diags
}

// notText reports a file that is too large, or its first byte that is no UTF-8 or that no editor shows.
func notText(filename string, src []byte) *hcl.Diagnostic {
	if len(src) > MaxSize {
		return syntaxError("The file is too large", fmt.Sprintf("An analysis has at most %d MiB. Is this the file that is meant?", MaxSize>>20),
			hcl.Range{Filename: filename, Start: hcl.InitialPos, End: hcl.InitialPos})
	}
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && size == 1 || r == 0 {
			at := endPos(src[:i])
			return syntaxError("Not a text in UTF-8",
				fmt.Sprintf("The byte %#02x cannot be here: an analysis is a text in UTF-8. Save it so in your editor.%s", src[i], otherEncoding(src)),
				hcl.Range{Filename: filename, Start: at, End: at})
		}
		i += size
	}
	return nil
}

func otherEncoding(src []byte) string {
	if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
		return " It looks like UTF-16 now."
	}
	return ""
}

type lexer func(src []byte, filename string, start hcl.Pos) (hclsyntax.Tokens, hcl.Diagnostics)

// tooDeep reports the first place that is nested deeper than anybody writes.
func tooDeep(filename string, src []byte, lex lexer) *hcl.Diagnostic {
	if countAny(src, "([{") <= maxDepth && countAny(src, "-!?") <= maxDepth {
		return nil // not even if all of them were inside one another
	}
	tokens, _ := lex(src, filename, hcl.InitialPos)
	open, operators := 0, 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOParen, hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			open++
		case hclsyntax.TokenCParen, hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenTemplateSeqEnd:
			open = max(open-1, 0)
		case hclsyntax.TokenMinus, hclsyntax.TokenBang, hclsyntax.TokenQuestion:
			operators++
		case hclsyntax.TokenNewline, hclsyntax.TokenComma:
			operators = 0
		}
		if open > maxDepth || operators > maxDepth {
			return nestedTooDeep(filename, t.Range.Start)
		}
	}
	return nil
}

// countAny counts the bytes that are one of chars.
func countAny(src []byte, chars string) int {
	n := 0
	for i := range len(chars) {
		n += bytes.Count(src, []byte{chars[i]})
	}
	return n
}

// tooDeepJSON is tooDeep for the brackets of JSON.
func tooDeepJSON(filename string, src []byte) *hcl.Diagnostic {
	open, text := 0, false
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case c == '"':
			text = !text
		case text && c == '\\':
			i++
		case text:
		case c == '[' || c == '{':
			if open++; open > maxDepth {
				return nestedTooDeep(filename, endPos(src[:i]))
			}
		case c == ']' || c == '}':
			open = max(open-1, 0)
		}
	}
	return nil
}

func nestedTooDeep(filename string, at hcl.Pos) *hcl.Diagnostic {
	return syntaxError("Nested too deep", fmt.Sprintf("Here are more than %d brackets or operators inside one another. Take parts out into locals.", maxDepth),
		hcl.Range{Filename: filename, Start: at, End: at})
}

func syntaxError(summary, detail string, rng hcl.Range) *hcl.Diagnostic {
	return diag.Error(diag.SyntaxCode, summary, detail, rng)
}

// causes keeps one error of each line, and none after a text that is not closed: from there on the parser takes texts for code and
// code for texts. Where there is a choice, what names a wrong character says more than what the parser misses then.
func causes(diags hcl.Diagnostics) hcl.Diagnostics {
	var out hcl.Diagnostics
	for _, d := range diag.Sort(diags) {
		if n := len(out); n > 0 && d.Subject != nil && out[n-1].Subject != nil && out[n-1].Subject.Start.Line == d.Subject.Start.Line {
			if namesCharacter(d) && !namesCharacter(out[n-1]) && !unclosed(out[n-1]) {
				out[n-1] = d
			}
			continue
		}
		if slices.ContainsFunc(out, unclosed) {
			break
		}
		out = append(out, d)
	}
	return out
}

func namesCharacter(d *hcl.Diagnostic) bool { return strings.HasPrefix(d.Summary, "Invalid character") }

func unclosed(d *hcl.Diagnostic) bool {
	return d.Summary == "Invalid multi-line string" || strings.HasPrefix(d.Summary, "Unclosed template") || d.Summary == "Unterminated template string"
}
