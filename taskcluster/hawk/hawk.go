package hawk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// MaxHeader is how long a header may be; the services take no longer one.
const MaxHeader = 4096

// Request is what is signed.
type Request struct {
	Method string
	URL    *url.URL // its path and query must be sent as URL.RequestURI gives them
	Time   time.Time
	Nonce  string // unique for a second; printable ASCII without quotes and backslashes
	Ext    string // an extension; may be empty
}

// Header is the value of an Authorization header by which the holder of id and key makes a request. It is an error when something
// cannot be in a header, or makes it longer than MaxHeader.
func Header(r Request, id, key string) (string, error) {
	attributes := []attribute{{"id", id}, {"ts", strconv.FormatInt(r.Time.Unix(), 10)}, {"nonce", r.Nonce}, {"ext", r.Ext}, {"mac", r.mac("header", key)}}
	var b strings.Builder
	b.WriteString("Hawk ")
	for _, a := range attributes {
		if a.name == "ext" && a.value == "" {
			continue
		}
		if i := strings.IndexFunc(a.value, func(c rune) bool { return !allowed(c) }); i >= 0 {
			return "", fmt.Errorf("the %s of a signature must be printable ASCII without quotes and backslashes; character %d is not", a.name, i+1)
		}
		if a.name != "id" {
			b.WriteString(", ")
		}
		b.WriteString(a.name + `="` + a.value + `"`)
	}
	if b.Len() > MaxHeader {
		return "", fmt.Errorf("the signature would be %d characters long, the services take %d: the credentials list too many scopes in their certificate; let them have a role (assume:…) instead", b.Len(), MaxHeader)
	}
	return b.String(), nil
}

type attribute struct{ name, value string }

func allowed(c rune) bool { return c >= ' ' && c <= '~' && c != '"' && c != '\\' }

// Bewit is the value of the query parameter "bewit" that lets a URL be read with GET until it expires, in the name of id.
func Bewit(u *url.URL, id, key, ext string, expires time.Time) string {
	r := Request{Method: "GET", URL: u, Time: expires, Ext: ext}
	text := strings.Join([]string{id, strconv.FormatInt(expires.Unix(), 10), r.mac("bewit", key), ext}, `\`)
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

func (r Request) mac(kind, key string) string {
	m := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(m, "hawk.1.%s\n%d\n%s\n%s\n%s\n%s\n%s\n\n%s\n", kind, r.Time.Unix(), r.Nonce,
		strings.ToUpper(r.Method), r.URL.RequestURI(), strings.ToLower(r.URL.Hostname()), port(r.URL), r.Ext)
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}
