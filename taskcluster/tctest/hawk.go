package tctest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	hawkWindow    = 15 * time.Minute
	maxAuthHeader = 4096
)

// claim is what the signature of a request says about who sent it.
type claim struct {
	id, ext string
	check   func(token string) *apiError // is it signed with this token?
}

func unauthorized(format string, args ...any) *apiError {
	return fail("AuthenticationFailed", format, args...)
}

var (
	bewitInURL = regexp.MustCompile(`^(/.*)([?&])bewit=([^&$]*)(?:&(.+))?$`)
	attribute  = regexp.MustCompile(`(\w+)="([^"\\]*)"\s*(?:,\s*|$)`)
)

// readClaim finds the signature of a request, in its header or as a bewit; nil when there is none.
func readClaim(r *http.Request, body []byte, now time.Time) (*claim, *apiError) {
	header := r.Header.Get("Authorization")
	bewit := bewitInURL.FindStringSubmatch(r.RequestURI)
	switch {
	case header != "" && bewit != nil:
		return nil, unauthorized("Cannot use two authentication schemes at once this request has both bewit in querystring and 'authorization' header")
	case header != "":
		return headerClaim(r, header, body, now)
	case bewit != nil:
		return bewitClaim(r, bewit, now)
	}
	return nil, nil
}

func headerClaim(r *http.Request, header string, body []byte, now time.Time) (*claim, *apiError) {
	if len(header) > maxAuthHeader {
		return nil, unauthorized("Bad Request: Header length too long")
	}
	rest, ok := strings.CutPrefix(header, "Hawk ")
	if !ok {
		return nil, unauthorized("Unauthorized")
	}
	a := map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(rest, -1) {
		a[m[1]] = m[2]
	}
	ts, err := strconv.ParseInt(a["ts"], 10, 64)
	if err != nil || a["id"] == "" || a["nonce"] == "" || a["mac"] == "" {
		return nil, unauthorized("Bad Request: Missing attributes")
	}
	check := func(token string) *apiError {
		text := normalized("header", a["ts"], a["nonce"], r.Method, r.RequestURI, r, a["hash"], a["ext"])
		if !sameMAC(token, text, a["mac"]) {
			return unauthorized("Unauthorized: Bad mac")
		}
		if off := now.Sub(time.Unix(ts, 0)); off > hawkWindow || off < -hawkWindow {
			return unauthorized("Unauthorized: Stale timestamp")
		}
		if hash := payloadHash(r, body); a["hash"] != "" && a["hash"] != hash {
			return unauthorized("Invalid payload hash: {{hash}}\nComputed payload hash: %s\nThis happens when your request carries a signed hash "+
				"of the payload and the hash doesn't match the hash we've computed on the server-side.", hash)
		}
		return nil
	}
	return &claim{id: a["id"], ext: a["ext"], check: check}, nil
}

// bewitClaim reads a signed URL: parts are the match of bewitInURL.
func bewitClaim(r *http.Request, parts []string, now time.Time) (*claim, *apiError) {
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[3], "="))
	fields := strings.Split(string(text), `\`)
	if err != nil || len(fields) != 4 {
		return nil, unauthorized("Bad Request: Invalid bewit structure")
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return nil, unauthorized("Unauthorized: Invalid method")
	}
	id, exp, mac, ext := fields[0], fields[1], fields[2], fields[3]
	expiry, err := strconv.ParseInt(exp, 10, 64)
	if err != nil || now.Unix() >= expiry {
		return nil, unauthorized("Unauthorized: Access expired")
	}
	resource := parts[1]
	if parts[4] != "" {
		resource += parts[2] + parts[4]
	}
	check := func(token string) *apiError {
		if !sameMAC(token, normalized("bewit", exp, "", http.MethodGet, resource, r, "", ext), mac) {
			return unauthorized("Unauthorized: Bad mac")
		}
		return nil
	}
	return &claim{id: id, ext: ext, check: check}, nil
}

// normalized is the text that is signed.
func normalized(kind, ts, nonce, method, resource string, r *http.Request, hash, ext string) string {
	host, port, ok := strings.Cut(r.Host, ":")
	if !ok {
		port = "80"
	}
	return strings.Join([]string{"hawk.1." + kind, ts, nonce, strings.ToUpper(method), resource, strings.ToLower(host), port, hash, ext}, "\n") + "\n"
}

func sameMAC(token, text, given string) bool {
	sum, err := base64.StdEncoding.DecodeString(given)
	return err == nil && hmac.Equal(sum, mac(token, text))
}

func payloadHash(r *http.Request, body []byte) string {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	sum := sha256.Sum256([]byte("hawk.1.payload\n" + strings.TrimSpace(strings.ToLower(kind)) + "\n" + string(body) + "\n"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// extension is what the ext attribute carries.
type extension struct {
	Certificate      json.RawMessage `json:"certificate"`
	AuthorizedScopes *[]string       `json:"authorizedScopes"`
}

func readExtension(ext string) (e extension, cert *certificate, err *apiError) {
	if ext == "" {
		return e, nil, nil
	}
	text, decodeErr := base64.StdEncoding.DecodeString(ext)
	if decodeErr != nil || json.Unmarshal(text, &e) != nil {
		return e, nil, unauthorized("Failed to parse ext")
	}
	if len(e.Certificate) == 0 || string(e.Certificate) == "null" {
		return e, nil, nil
	}
	cert = &certificate{}
	if json.Unmarshal(e.Certificate, cert) != nil {
		return e, nil, unauthorized("ext.certificate must be an object")
	}
	return e, cert, nil
}
