package taskcluster

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tafc/tafc/taskcluster/slugid"
)

// Credentials say in whose name calls are made. They never get into an error or a log.
type Credentials struct {
	ClientID    string
	AccessToken string
	// Certificate is the JSON text that belongs to temporary credentials; empty for permanent ones.
	Certificate string
	// AuthorizedScopes, unless nil, are all that calls may use of what the client may. Empty is nothing.
	AuthorizedScopes []string
}

// TestCredentials are the credentials of Auth.TestAuthenticate. Every deployment knows them; they allow nothing.
var TestCredentials = Credentials{ClientID: "tester", AccessToken: "no-secret"}

// String names the client, without what must stay secret.
func (c Credentials) String() string { return "client " + c.ClientID }

// GoString is String, so that no verb of fmt prints the rest.
func (c Credentials) GoString() string { return c.String() }

// Certificate says what temporary credentials are for.
type Certificate struct {
	Version   int      `json:"version"`
	Scopes    []string `json:"scopes"`
	Start     int64    `json:"start"`  // Unix time in milliseconds
	Expiry    int64    `json:"expiry"` // Unix time in milliseconds
	Seed      string   `json:"seed"`
	Signature string   `json:"signature"`
	Issuer    string   `json:"issuer,omitempty"` // only of named credentials
}

// Expires is when the credentials end, and zero when they do not.
func (c Credentials) Expires() (time.Time, error) {
	if c.Certificate == "" {
		return time.Time{}, nil
	}
	var cert Certificate
	if err := json.Unmarshal([]byte(c.Certificate), &cert); err != nil {
		return time.Time{}, errCertificate
	}
	return time.UnixMilli(cert.Expiry), nil
}

var errCertificate = errors.New("the certificate of the Taskcluster credentials (TASKCLUSTER_CERTIFICATE) is not a JSON object")

// ext is the extension of a signature by these credentials.
func (c Credentials) ext() (string, error) {
	if c.Certificate == "" && c.AuthorizedScopes == nil {
		return "", nil
	}
	var ext struct {
		Certificate      json.RawMessage `json:"certificate,omitempty"`
		AuthorizedScopes *[]string       `json:"authorizedScopes,omitempty"`
	}
	if c.Certificate != "" {
		ext.Certificate = json.RawMessage(c.Certificate)
	}
	if c.AuthorizedScopes != nil {
		ext.AuthorizedScopes = &c.AuthorizedScopes
	}
	text, err := marshal(ext)
	if err != nil {
		return "", errCertificate
	}
	return base64.StdEncoding.EncodeToString(text), nil
}

func (c Credentials) check() error {
	switch {
	case c.ClientID == "":
		return errors.New("the Taskcluster credentials have an access token but no client id (TASKCLUSTER_CLIENT_ID)")
	case c.AccessToken == "":
		return errors.New("the Taskcluster credentials have a client id but no access token (TASKCLUSTER_ACCESS_TOKEN)")
	case c.Certificate != "":
		if err := json.Unmarshal([]byte(c.Certificate), &struct{}{}); err != nil {
			return errCertificate
		}
	}
	return nil
}

// maxTemporary is how long temporary credentials may be valid.
const maxTemporary = 31 * 24 * time.Hour

// CreateTemporaryCredentials makes credentials that may use the given scopes, of those that c has, from start on for a while.
// Only permanent credentials can make some.
func (c Credentials) CreateTemporaryCredentials(start time.Time, duration time.Duration, scopes ...string) (*Credentials, error) {
	return c.temporary("", start, duration, slugid.New()+slugid.New(), scopes)
}

// CreateNamedTemporaryCredentials is CreateTemporaryCredentials with a client id of their own, for which c needs the scope
// auth:create-client:<clientID>.
func (c Credentials) CreateNamedTemporaryCredentials(clientID string, start time.Time, duration time.Duration, scopes ...string) (*Credentials, error) {
	if clientID == "" {
		return nil, errors.New("named temporary credentials need a client id")
	}
	return c.temporary(clientID, start, duration, slugid.New()+slugid.New(), scopes)
}

func (c Credentials) temporary(name string, start time.Time, duration time.Duration, seed string, scopes []string) (*Credentials, error) {
	if c.Certificate != "" {
		return nil, errors.New("temporary credentials cannot make temporary credentials")
	}
	if duration <= 0 || duration > maxTemporary {
		return nil, fmt.Errorf("temporary credentials may be valid for at most 31 days, not for %v", duration)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	cert := Certificate{Version: 1, Scopes: append([]string{}, scopes...), Start: start.UnixMilli(), Expiry: start.Add(duration).UnixMilli(), Seed: seed}
	clientID := c.ClientID
	if name != "" {
		clientID, cert.Issuer = name, c.ClientID
	}
	cert.Signature = base64.StdEncoding.EncodeToString(c.hmac(cert.signed(clientID)))
	text, err := marshal(cert)
	if err != nil {
		return nil, err
	}
	return &Credentials{
		ClientID:         clientID,
		AccessToken:      base64.RawURLEncoding.EncodeToString(c.hmac(seed)),
		Certificate:      string(text),
		AuthorizedScopes: c.AuthorizedScopes,
	}, nil
}

// signed is the text that the signature of a certificate covers.
func (c Certificate) signed(clientID string) string {
	lines := []string{fmt.Sprintf("version:%d", c.Version)}
	if c.Issuer != "" {
		lines = append(lines, "clientId:"+clientID, "issuer:"+c.Issuer)
	}
	lines = append(lines, "seed:"+c.Seed, fmt.Sprintf("start:%d", c.Start), fmt.Sprintf("expiry:%d", c.Expiry), "scopes:")
	return strings.Join(append(lines, c.Scopes...), "\n")
}

func (c Credentials) hmac(text string) []byte {
	m := hmac.New(sha256.New, []byte(c.AccessToken))
	m.Write([]byte(text))
	return m.Sum(nil)
}
