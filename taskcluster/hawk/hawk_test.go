package hawk_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/taskcluster/hawk"
	"github.com/tafc/tafc/taskcluster/hawk/hawktest"
)

func parse(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// The first is the example of Hawk's own documentation, the others were computed by another program.
func TestMAC(t *testing.T) {
	for _, tt := range []struct {
		key, method, url, nonce, ext string
		ts                           int64
		want                         string
	}{
		{"werxhqb98rpaxn39848xrunpaw3489ruxnpa98w4rxn", "GET", "http://example.com:8000/resource/1?b=1&a=2", "j4h3g2", "some-app-ext-data", 1353832234,
			"6R4rV5iE+NPoym+WwjeHzjAGXUtLNIxmo1vpMofpLAE="},
		{"no-secret", "put", "https://TC.example.com/api/queue/v1/task/AAAAAAAAQ7aAAAAAAAAAAA", "abc123", "", 1700000000,
			"5kzQpeNVvDo6aI1Vk+vgQ35TCAIexhpCaFW/zQwep2E="},
		{"no-secret", "POST", "https://tc.example.com/api/queue/v1/tasks/status?limit=1000", "abc123",
			"eyJhdXRob3JpemVkU2NvcGVzIjpbInF1ZXVlOmNyZWF0ZS10YXNrOmxvd2VzdDpwL3ciXX0=", 1700000000, "zZNsAE8PDeboh93BuN7oPcGpL+KFglZlUn3Nh0U/03E="},
	} {
		r := hawk.Request{Method: tt.method, URL: parse(t, tt.url), Time: time.Unix(tt.ts, 0), Nonce: tt.nonce, Ext: tt.ext}
		header, err := hawk.Header(r, "me", tt.key)
		if err != nil {
			t.Fatal(err)
		}
		got, err := hawktest.ParseHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		want := hawktest.Attributes{ID: "me", Time: r.Time, Nonce: tt.nonce, Ext: tt.ext, MAC: tt.want}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.url, diff)
		}
	}
}

func TestBewit(t *testing.T) {
	u := parse(t, "https://tc.example.com/api/queue/v1/task/AAAAAAAAQ7aAAAAAAAAAAA/artifacts/private/x.json")
	got := hawk.Bewit(u, "proj/issuer", "no-secret", "", time.Unix(1700000900, 0))
	want := "cHJvai9pc3N1ZXJcMTcwMDAwMDkwMFxjMVo1Zk91aUgrRnQ3bzlWWnJnV0hON2ZoWjNVeDNud2hFRklsOHpOanI4PVw"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	a, err := hawktest.ParseBewit(got)
	if err != nil || a.ID != "proj/issuer" || a.Time.Unix() != 1700000900 {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestHeaderRefuses(t *testing.T) {
	r := hawk.Request{Method: "GET", URL: parse(t, "https://tc.example.com/"), Time: time.Unix(1, 0), Nonce: "n"}
	long := r
	long.Ext = strings.Repeat("x", hawk.MaxHeader)
	for name, tt := range map[string]struct {
		r    hawk.Request
		id   string
		want string
	}{
		"quote":    {r, `a"b`, "character 2"},
		"newline":  {r, "a\nb", "character 2"},
		"umlaut":   {r, "ä", "printable ASCII"},
		"too long": {long, "a", "too many scopes"},
	} {
		if _, err := hawk.Header(tt.r, tt.id, "key"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is signed, it is refused or arrives as it was.
func FuzzHeader(f *testing.F) {
	f.Add("me/you", "key", "n0nce", "ZXh0", int64(1700000000))
	f.Add(`a"b`, "", "", "", int64(-1))
	f.Add("a\\b", "k", "\n", "=,", int64(0))
	f.Fuzz(func(t *testing.T, id, key, nonce, ext string, ts int64) {
		r := hawk.Request{Method: "GET", URL: parse(t, "https://tc.example.com/x?y=z"), Time: time.Unix(ts, 0), Nonce: nonce, Ext: ext}
		header, err := hawk.Header(r, id, key)
		if err != nil || id == "" || nonce == "" {
			return
		}
		got, err := hawktest.ParseHeader(header)
		if err != nil {
			t.Fatalf("%q: %v", header, err)
		}
		if got.ID != id || got.Nonce != nonce || got.Ext != ext || got.Time.Unix() != ts || got.MAC == "" {
			t.Errorf("%q: %+v", header, got)
		}
	})
}
