package tctest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Credentials are what a client signs with. Certificate is JSON text, and only temporary credentials have one.
type Credentials struct {
	ClientID    string `json:"clientId"`
	AccessToken string `json:"accessToken"`
	Certificate string `json:"certificate,omitempty"`
}

// queueIssuer is the client that issues the credentials of running tasks.
const queueIssuer = "static/taskcluster/queue"

// certificate is the certificate of temporary credentials; start and expiry are Unix milliseconds.
type certificate struct {
	Version   int      `json:"version"`
	Scopes    []string `json:"scopes"`
	Start     int64    `json:"start"`
	Expiry    int64    `json:"expiry"`
	Seed      string   `json:"seed"`
	Signature string   `json:"signature"`
	Issuer    string   `json:"issuer,omitempty"`
}

// sign is the signature of the certificate; name is the client id that named credentials get.
func (cert *certificate) sign(name, issuerToken string) string {
	lines := []string{fmt.Sprintf("version:%d", cert.Version)}
	if cert.Issuer != "" {
		lines = append(lines, "clientId:"+name, "issuer:"+cert.Issuer)
	}
	lines = append(lines, "seed:"+cert.Seed, fmt.Sprintf("start:%d", cert.Start), fmt.Sprintf("expiry:%d", cert.Expiry), "scopes:")
	lines = append(lines, cert.Scopes...)
	return base64.StdEncoding.EncodeToString(mac(issuerToken, strings.Join(lines, "\n")))
}

// temporaryToken is the access token that goes with a seed.
func temporaryToken(seed, issuerToken string) string {
	return base64.RawURLEncoding.EncodeToString(mac(issuerToken, seed))
}

func mac(key, text string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// issue makes temporary credentials of the issuer under a name.
func issue(issuer, issuerToken, name string, scopes []string, start, expiry time.Time) Credentials {
	cert := certificate{Version: 1, Scopes: scopes, Start: start.UnixMilli(), Expiry: expiry.UnixMilli(), Seed: slug() + slug(), Issuer: issuer}
	if cert.Scopes == nil {
		cert.Scopes = []string{}
	}
	cert.Signature = cert.sign(name, issuerToken)
	text, _ := json.Marshal(cert)
	return Credentials{ClientID: name, AccessToken: temporaryToken(cert.Seed, issuerToken), Certificate: string(text)}
}

// slug makes a nice slugid.
func slug() string {
	var b [16]byte
	rand.Read(b[:])
	b[0], b[6], b[8] = b[0]&0x7f, b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return base64.RawURLEncoding.EncodeToString(b[:])
}
