package tctest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tafc/tafc/taskcluster/tctest"
)

const currentScopes = "/api/auth/v1/scopes/current"

func TestSignatures(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	good := s.Credentials("a:b", "c:*")
	tests := []struct {
		name   string
		caller *caller
		status int
		text   string
	}{
		{"good", as(t, s, good), 200, `"a:b"`},
		{"again, the nonce is not remembered", as(t, s, good), 200, `"c:*"`},
		{"nobody", as(t, s, tctest.Credentials{}), 200, "auth:current-scopes"},
		{"wrong token", as(t, s, tctest.Credentials{ClientID: good.ClientID, AccessToken: "x"}), 401, "Bad mac"},
		{"unknown client", as(t, s, tctest.Credentials{ClientID: "who", AccessToken: "x"}), 401, "not found"},
		{"fewer scopes", as(t, s, good).with("c:d", "auth:current-scopes"), 200, `"c:d"`},
		{"no scopes", as(t, s, good).with(), 200, "auth:current-scopes"},
		{"more scopes", as(t, s, good).with("z"), 401, "oversteps"},
		{"temporary", as(t, s, s.Temporary(s.Admin(), "me/run", time.Hour, "t:*")), 200, `"t:*"`},
		{"temporary, with more than its issuer has", as(t, s, s.Temporary(good, "me/run", time.Hour, "t:*")), 401, "create-client"},
		{"temporary, expired", as(t, s, s.Temporary(s.Admin(), "me/run", -time.Hour, "t:*")), 401, "expiry < now"},
		{"temporary, too long", as(t, s, s.Temporary(s.Admin(), "me/run", 32*24*time.Hour, "t:*")), 401, "31 days"},
		{"header just too long", as(t, s, s.Admin()).with(strings.Repeat("x", 3000)), 401, "too long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := tt.caller.call("GET", currentScopes, nil)
			if a.status != tt.status || !strings.Contains(a.text, tt.text) {
				t.Errorf("got %d %s, want %d and %q", a.status, a.text, tt.status, tt.text)
			}
		})
	}
}

func TestTemporaryWithoutCertificate(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	c := s.Temporary(s.Admin(), "me/run", time.Hour, "*")
	c.Certificate = ""
	wantStatus(t, as(t, s, c).call("GET", currentScopes, nil), 401, "AuthenticationFailed")
}

func TestClockSkew(t *testing.T) {
	for _, tt := range []struct {
		off    time.Duration
		status int
	}{{10 * time.Minute, 200}, {-10 * time.Minute, 200}, {16 * time.Minute, 401}, {-16 * time.Minute, 401}} {
		s := tctest.New(t, tctest.Options{})
		c := as(t, s, s.Admin())
		c.at = func() time.Time { return s.AuthClock().Now().Add(tt.off) }
		a := c.call("GET", currentScopes, nil)
		if a.status != tt.status || tt.status == 401 && a.message() != "Unauthorized: Stale timestamp" {
			t.Errorf("%v off: %d %s", tt.off, a.status, a.text)
		}
		if a.status == 401 && a.header.Get("WWW-Authenticate") != "hawk" {
			t.Errorf("WWW-Authenticate: %q", a.header.Get("WWW-Authenticate"))
		}
	}
}

// signature is the MAC of a text, made here rather than by the server.
func signature(token, text string) string {
	h := hmac.New(sha256.New, []byte(token))
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func TestBewit(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	creds := s.Credentials("a:b")
	u, _ := url.Parse(s.RootURL)
	bewit := func(id, token string, expiry time.Time) string {
		exp := fmt.Sprint(expiry.Unix())
		sum := signature(token, "hawk.1.bewit\n"+exp+"\n\nGET\n"+currentScopes+"\n"+u.Hostname()+"\n"+u.Port()+"\n\n\n")
		return "?bewit=" + base64.RawURLEncoding.EncodeToString([]byte(id+`\`+exp+`\`+sum+`\`))
	}
	nobody := as(t, s, tctest.Credentials{})
	soon := time.Now().Add(time.Minute)
	if a := nobody.call("GET", currentScopes+bewit(creds.ClientID, creds.AccessToken, soon), nil); a.status != 200 || !strings.Contains(a.text, "a:b") {
		t.Errorf("good: %d %s", a.status, a.text)
	}
	wantStatus(t, nobody.call("GET", currentScopes+bewit(creds.ClientID, "wrong", soon), nil), 401, "AuthenticationFailed")
	wantStatus(t, nobody.call("GET", currentScopes+bewit(creds.ClientID, creds.AccessToken, time.Now().Add(-time.Minute)), nil), 401, "AuthenticationFailed")
	wantStatus(t, as(t, s, creds).call("GET", currentScopes+bewit(creds.ClientID, creds.AccessToken, soon), nil), 401, "AuthenticationFailed")
}

func TestPayloadHash(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	creds := s.Admin()
	u, _ := url.Parse(s.RootURL)
	const path, body = "/api/auth/v1/scopes/expand", `{"scopes":["a"]}`
	sum := sha256.Sum256([]byte("hawk.1.payload\napplication/json\n" + body + "\n"))
	good := base64.StdEncoding.EncodeToString(sum[:])
	for hash, status := range map[string]int{good: 200, "AAAA": 401} {
		ts := fmt.Sprint(time.Now().Unix())
		mac := signature(creds.AccessToken, "hawk.1.header\n"+ts+"\nn\nPOST\n"+path+"\n"+u.Hostname()+"\n"+u.Port()+"\n"+hash+"\n\n")
		r, _ := http.NewRequest("POST", s.RootURL+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", fmt.Sprintf(`Hawk mac="%s", hash="%s", id="%s", nonce="n", ts="%s"`, mac, hash, creds.ClientID, ts))
		if a, err := send(r); err != nil || a.status != status {
			t.Errorf("hash %s: %v %d %s", hash, err, a.status, a.text)
		}
	}
}

func TestRoles(t *testing.T) {
	s := tctest.New(t, tctest.Options{Anonymous: []string{}})
	s.Role("team:*", "queue:create-task:lowest:proj-<..>/ci", "assume:everyone")
	s.Role("everyone", "auth:current-scopes")
	a := as(t, s, s.Credentials("assume:team:taf")).call("GET", currentScopes, nil)
	for _, want := range []string{"queue:create-task:lowest:proj-taf/ci", "auth:current-scopes", "assume:team:taf"} {
		if !strings.Contains(a.text, want) {
			t.Errorf("no %s in %s", want, a.text)
		}
	}
	wantStatus(t, as(t, s, tctest.Credentials{}).call("GET", currentScopes, nil), 403, "InsufficientScopes")
}

func TestMissingScopesAreNamed(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	c := as(t, s, s.Credentials("queue:create-task:project:none", "queue:create-task:high:"+queueID))
	a := c.call("PUT", "/api/queue/v1/task/"+id(1), aTask(s, map[string]any{"scopes": []string{"x:y"}, "routes": []string{"index.a"}}))
	wantStatus(t, a, 403, "InsufficientScopes")
	missing, _, _ := strings.Cut(a.message(), "This request requires")
	for _, want := range []string{"x:y", "queue:route:index.a", "queue:scheduler-id:taf"} {
		if !strings.Contains(missing, want) {
			t.Errorf("%s is not named in %s", want, missing)
		}
	}
	if strings.Contains(missing, "create-task") {
		t.Errorf("a higher priority is enough, but: %s", missing)
	}
}

func TestBucketCredentials(t *testing.T) {
	s := tctest.New(t, tctest.Options{Buckets: map[string]tctest.BucketCredentials{"b": {AccessKeyID: "id", SecretAccessKey: "key", SessionToken: "st"}}})
	c := as(t, s, s.Credentials("auth:aws-s3:read-write:b/x/*"))
	a := c.call("GET", "/api/auth/v1/aws/s3/read-only/b/x/y/", nil)
	if a.get("credentials", "accessKeyId") != "id" || a.get("credentials", "sessionToken") != "st" {
		t.Errorf("got %d %s", a.status, a.text)
	}
	if a := c.call("GET", "/api/auth/v1/aws/s3/read-write/b/x/?format=iam-role-compat", nil); a.get("AccessKeyId") != "id" {
		t.Errorf("as a role: %d %s", a.status, a.text)
	}
	wantStatus(t, c.call("GET", "/api/auth/v1/aws/s3/read-only/b/z/", nil), 403, "InsufficientScopes")
	wantStatus(t, as(t, s, s.Admin()).call("GET", "/api/auth/v1/aws/s3/read-only/other/z/", nil), 404, "ResourceNotFound")
}

func TestAuthDown(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	c := as(t, s, s.Admin())
	s.SetAuthDown(true)
	wantStatus(t, c.call("PUT", "/api/queue/v1/task/"+id(1), aTask(s, nil)), 500, "InternalServerError")
	s.SetAuthDown(false)
	c.create(s, id(1), nil)
}
