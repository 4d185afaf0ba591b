package hawktest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tafc/tafc/taskcluster/hawk"
)

// Attributes are what a header says.
type Attributes struct {
	ID    string
	Time  time.Time
	Nonce string
	Ext   string
	MAC   string
	Hash  string // of the content, when the client sent one
}

var attributes = regexp.MustCompile(`^(\w+)="([^"\\]*)"\s*(?:,\s*|$)`)

// ParseHeader reads the value of an Authorization header as services do. Errors do not repeat what they are about.
func ParseHeader(header string) (Attributes, error) {
	if len(header) > hawk.MaxHeader {
		return Attributes{}, errors.New("header length too long")
	}
	rest, ok := strings.CutPrefix(header, "Hawk ")
	if !ok {
		return Attributes{}, errors.New("not a Hawk header")
	}
	values := map[string]string{}
	for rest = strings.TrimSpace(rest); rest != ""; {
		m := attributes.FindStringSubmatch(rest)
		if m == nil || strings.ContainsFunc(m[2], func(c rune) bool { return c < ' ' || c > '~' }) {
			return Attributes{}, errors.New("bad header format")
		}
		if _, twice := values[m[1]]; twice {
			return Attributes{}, fmt.Errorf("duplicate attribute %s", m[1])
		}
		values[m[1]] = m[2]
		rest = rest[len(m[0]):]
	}
	for _, name := range []string{"id", "ts", "nonce", "mac"} {
		if values[name] == "" {
			return Attributes{}, errors.New("missing attributes")
		}
	}
	ts, err := strconv.ParseInt(values["ts"], 10, 64)
	if err != nil {
		return Attributes{}, errors.New("the time is not a number")
	}
	return Attributes{ID: values["id"], Time: time.Unix(ts, 0), Nonce: values["nonce"], Ext: values["ext"], MAC: values["mac"], Hash: values["hash"]}, nil
}

// ParseBewit reads the value of the query parameter "bewit". The time is when it expires; there is no nonce.
func ParseBewit(bewit string) (Attributes, error) {
	text, err := base64.RawURLEncoding.DecodeString(bewit)
	if err != nil {
		return Attributes{}, errors.New("bad bewit encoding")
	}
	parts := strings.Split(string(text), `\`)
	if len(parts) != 4 || parts[0] == "" || parts[2] == "" {
		return Attributes{}, errors.New("bad bewit structure")
	}
	expires, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return Attributes{}, errors.New("the time is not a number")
	}
	return Attributes{ID: parts[0], Time: time.Unix(expires, 0), MAC: parts[2], Ext: parts[3]}, nil
}
