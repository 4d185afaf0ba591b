package redact

import (
	"regexp"
	"strings"

	"github.com/tafc/tafc/internal/lazy"
)

// userinfo is scheme://user:password@ — the password reaches to the last @ before the path, as people forget to encode one.
var userinfo = lazy.Regexp(`(\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:@"'` + "`" + `]*):([^\s"'` + "`" + `]*)@`)

// parameter is a password in the query of a URL.
var parameter = lazy.Regexp(`([?&](?i:password|sslpassword)=)([^&\s"'` + "`" + `#]+)`)

// URLs returns the text without the passwords of the URLs in it. What it changes keeps its meaning otherwise: the same user, host and
// parameters.
func URLs(text string) string {
	if !strings.Contains(text, "://") && !strings.Contains(text, "=") {
		return text // most are; the expressions need not be made for them
	}
	text = userinfo().ReplaceAllString(text, "$1@")
	return parameter().ReplaceAllString(text, "$1")
}

// Mask is like URLs, but puts stars in the place of each byte of a password, so that columns stay where they are.
func Mask(text string) string {
	if URLs(text) == text {
		return text
	}
	mask := func(re *regexp.Regexp) {
		out := []byte(text)
		for _, m := range re.FindAllStringSubmatchIndex(text, -1) {
			for i := m[4]; i < m[5]; i++ {
				out[i] = '*'
			}
		}
		text = string(out)
	}
	mask(userinfo())
	mask(parameter())
	return text
}

// Has tells whether a URL in the text has a password.
func Has(text string) bool { return URLs(text) != text }
