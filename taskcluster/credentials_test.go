package taskcluster

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The expected values were computed by another program.
func TestTemporaryCredentials(t *testing.T) {
	issuer := Credentials{ClientID: "proj/issuer", AccessToken: "no-secret"}
	start, seed := time.UnixMilli(1700000000000), strings.Repeat("S", 44)
	for _, tt := range []struct{ name, clientID, issuer, signature string }{
		{"", "proj/issuer", "", "ZVC9zP4LrlrU/teGPhA7J233zzbtzZOU+6uxl0YTNgc="},
		{"proj/issuer/run-1", "proj/issuer/run-1", "proj/issuer", "u3H/bRCBL//u4mkhMR6Be9VFvVA8mAUBnt3+xhU/x3k="},
	} {
		got, err := issuer.temporary(tt.name, start, time.Hour, seed, []string{"scope:a", "scope:b/*"})
		if err != nil {
			t.Fatal(err)
		}
		var cert Certificate
		if err := json.Unmarshal([]byte(got.Certificate), &cert); err != nil {
			t.Fatal(err)
		}
		want := Certificate{Version: 1, Scopes: []string{"scope:a", "scope:b/*"}, Start: 1700000000000, Expiry: 1700003600000, Seed: seed,
			Signature: tt.signature, Issuer: tt.issuer}
		if diff := cmp.Diff(want, cert); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.name, diff)
		}
		if got.ClientID != tt.clientID || got.AccessToken != "davH3VZIWg9FS1WkOx88NQoFmnuH2r5jENpfVtYvfWY" {
			t.Errorf("%q: %s, %s", tt.name, got.ClientID, got.AccessToken)
		}
		if expires, err := got.Expires(); err != nil || !expires.Equal(start.Add(time.Hour)) {
			t.Errorf("expires %v, %v", expires, err)
		}
	}
}

// The cases of the official client.
func TestTemporaryCredentialsOfTheOfficialClient(t *testing.T) {
	text, err := os.ReadFile("../../shared/facts/taskcluster-schemas/v106.0.0/source/clients/client-go/testcases.json")
	if err != nil {
		t.Skipf("no cases of the official client: %v", err)
	}
	var cases []struct {
		Description         string
		ExpectedTempCreds   Credentials
		PermCreds           Credentials
		Seed, TempCredsName string
		Start, Expiry       time.Time
		TempCredsScopes     []string
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) == 0 {
		t.Fatal(len(cases), err)
	}
	for _, tt := range cases {
		got, err := tt.PermCreds.temporary(tt.TempCredsName, tt.Start, tt.Expiry.Sub(tt.Start), tt.Seed, tt.TempCredsScopes)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.ExpectedTempCreds, *got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.Description, diff)
		}
	}
}

func TestTemporaryCredentialsRefused(t *testing.T) {
	issuer := Credentials{ClientID: "issuer", AccessToken: "token"}
	temporary, err := issuer.CreateTemporaryCredentials(time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() (*Credentials, error){
		"temporary credentials cannot": func() (*Credentials, error) { return temporary.CreateTemporaryCredentials(time.Now(), time.Hour) },
		"at most 31 days":              func() (*Credentials, error) { return issuer.CreateTemporaryCredentials(time.Now(), 32*24*time.Hour) },
		"need a client id":             func() (*Credentials, error) { return issuer.CreateNamedTemporaryCredentials("", time.Now(), time.Hour) },
		"no access token": func() (*Credentials, error) {
			return Credentials{ClientID: "x"}.CreateTemporaryCredentials(time.Now(), time.Hour)
		},
	} {
		if _, err := call(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCredentialsAreNotPrinted(t *testing.T) {
	c := Credentials{ClientID: "me", AccessToken: "hidden", Certificate: `{"seed": "hidden"}`}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{c, &c, struct{ C *Credentials }{&c}, Config{Credentials: &c}} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "hidden") {
				t.Errorf("%s of %T: %s", verb, v, text)
			}
		}
	}
}

func TestConfigFromTheEnvironment(t *testing.T) {
	user := map[string]string{EnvRootURL: "https://tc.example.com/", EnvClientID: "user", EnvAccessToken: "token", EnvCertificate: `{"version":1}`}
	task := map[string]string{EnvRootURL: "https://tc.example.com", EnvProxyURL: "http://10.0.0.1:8080", EnvClientID: "user", EnvAccessToken: "token"}
	for name, tt := range map[string]struct {
		env           map[string]string
		config        Config
		calls, client string // where, and in whose name
		links, err    string
	}{
		"user":                    {user, Config{}, "https://tc.example.com", "user", "https://tc.example.com", ""},
		"task":                    {task, Config{}, "http://10.0.0.1:8080", "", "https://tc.example.com", ""},
		"explicit root in a task": {task, Config{RootURL: "https://other.example.com"}, "https://other.example.com", "user", "https://other.example.com", ""},
		"the task's own root":     {task, Config{RootURL: "https://tc.example.com/"}, "http://10.0.0.1:8080", "", "https://tc.example.com", ""},
		"explicit credentials in a task": {task, Config{Credentials: &Credentials{ClientID: "flag", AccessToken: "t"}}, "https://tc.example.com", "flag",
			"https://tc.example.com", ""},
		"explicit proxy": {user, Config{ProxyURL: "http://proxy"}, "http://proxy", "", "https://tc.example.com", ""},
		"nothing":        {nil, Config{}, "", "", "", "TASKCLUSTER_ROOT_URL"},
		"anonymous":      {map[string]string{EnvRootURL: "http://localhost:8080"}, Config{}, "http://localhost:8080", "", "http://localhost:8080", ""},
		"no token":       {map[string]string{EnvRootURL: "http://tc", EnvClientID: "x"}, Config{}, "", "", "", "TASKCLUSTER_ACCESS_TOKEN"},
		"no client id":   {map[string]string{EnvRootURL: "http://tc", EnvAccessToken: "x"}, Config{}, "", "", "", "TASKCLUSTER_CLIENT_ID"},
		"certificate":    {map[string]string{EnvRootURL: "http://tc", EnvClientID: "x", EnvAccessToken: "x", EnvCertificate: "x"}, Config{}, "", "", "", "TASKCLUSTER_CERTIFICATE"},
		"no scheme":      {map[string]string{EnvRootURL: "tc.example.com"}, Config{}, "", "", "", "https://"},
		"path":           {map[string]string{EnvRootURL: "https://tc.example.com/api"}, Config{}, "", "", "", "no path"},
		"password":       {map[string]string{EnvRootURL: "https://me:hidden@tc.example.com"}, Config{}, "", "", "", "alone"},
		"no URL":         {map[string]string{EnvRootURL: "https://tc%zz"}, Config{}, "", "", "", "not a URL"},
	} {
		client, err := New(tt.config.WithEnv(func(k string) string { return tt.env[k] }))
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		id, signs := client.Signs()
		if client.caller.root.String() != tt.calls || id != tt.client || signs != (tt.client != "") || client.RootURL() != tt.links {
			t.Errorf("%s: calls %s as %q, links %s", name, client.caller.root, id, client.RootURL())
		}
	}
}
