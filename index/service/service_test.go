package service_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/service"
)

// memory is a source of the telemetry layout.
type memory struct{ keys []string }

func (m *memory) String() string                           { return "memory:" }
func (m *memory) Layout() string                           { return index.Telemetry }
func (m *memory) Root() string                             { return "" }
func (m *memory) Close() error                             { return nil }
func (m *memory) Revision(context.Context) (string, error) { return "r", nil }
func (m *memory) Scan(_ context.Context, fn func(index.File) error) error {
	for i, key := range m.keys {
		if err := fn(index.File{Key: []byte(key), Size: int64(i), ETag: []byte("e" + key)}); err != nil {
			return err
		}
	}
	return nil
}

const suffix = ".v2.log.0ab8723b6fb3455bb34b04d97482fda2.lzma"

// ancestorKeys are K01 to K19 of the worked examples.
var ancestorKeys = []string{
	"saved_session/Firefox/nightly/28.0a1/20131029030201.20131029" + suffix, "saved_session/Firefox/nightly/29.0a1/20140228.20140308" + suffix,
	"idle_daily/Firefox/nightly/30.0a1/20140301030203.20140309" + suffix, "idle_daily/Firefox/nightly/30.0a1/20140227030203.20140309" + suffix,
	"idle_daily/Firefox/nightly/30.0a1/20140301030203.20140310" + suffix, "saved_session/Fennec/aurora/24.0a2/20130607004018.20130701" + suffix,
	"saved_session/Fennec/aurora/24.0a2/20130606004018.20130701" + suffix, "saved_session/Firefox/nightly_ux/22.0a1/20130226031002.20131013" + suffix,
	"saved_session/OTHER/OTHER/28.0/20140401001122.20140402" + suffix, "saved_session/other/other/28.0/20140401001122.20140402" + suffix,
	"saved_session/Firefox/release/28.0/unknown.20140402" + suffix, "saved_session/Firefox/beta/_/20140401001122.20140402" + suffix,
	"saved_session/Firefox/beta/28.0/.20140402" + suffix, "saved-session/Firefox/beta/28.0/20140401001122.20140402" + suffix,
	"saved_session/Firefox/beta/28.0/20140401001122.20140403", "saved_session/Firefox/beta/28.0/20140401001122",
	"saved_session/Firefox/beta/20140401001122.20140402" + suffix, "saved_session/Firefox/beta/28.0/extra/20140401001122.20140402" + suffix,
	"telemetry_schema.json",
}

func serve(t testing.TB, src index.Source) string {
	t.Helper()
	server := httptest.NewServer(&service.Handler{Open: func(context.Context) (index.Source, error) { return src, nil }, Failed: func(err error) { t.Error(err) }})
	t.Cleanup(server.Close)
	return server.URL
}

func open(t testing.TB, url string) *service.Source {
	t.Helper()
	src, err := service.Open("service:"+url, url)
	if err != nil {
		t.Fatal(err)
	}
	service.SetPause(src, time.Millisecond)
	t.Cleanup(func() { src.Close() })
	return src
}

func filters() *rapid.Generator[index.Filter] {
	values := map[string][]string{
		"reason": {"saved-session", "saved_session", "idle-daily", "x"}, "appName": {"Firefox", "Fennec", "OTHER", "other"},
		"appUpdateChannel": {"nightly", "nightly-ux", "beta", "*"}, "appVersion": {"28.0", "*", "_", "29.0a1"},
		"appBuildID": {"20140228", "20130607", "", "unknown"}, "submission_date": {"20140308", "20140309", "20140402"},
	}
	term := rapid.Custom(func(t *rapid.T) index.Term {
		dim := rapid.SampledFrom([]string{"reason", "appName", "appUpdateChannel", "appVersion", "appBuildID", "submission_date"}).Draw(t, "dimension")
		value := rapid.SampledFrom(values[dim])
		switch op := rapid.SampledFrom([]index.Op{index.OpAny, index.OpOneOf, index.OpBetween, index.OpAtLeast, index.OpAtMost, index.OpGlob}).Draw(t, "op"); op {
		case index.OpAny:
			return index.Term{Dimension: dim, Op: op}
		case index.OpOneOf:
			return index.Term{Dimension: dim, Op: op, Values: rapid.SliceOfN(value, 0, 3).Draw(t, "values")}
		case index.OpBetween:
			return index.Term{Dimension: dim, Op: op, Values: rapid.SliceOfN(value, 2, 2).Draw(t, "values")}
		case index.OpGlob:
			return index.Term{Dimension: dim, Op: op, Values: []string{"*a*"}}
		default:
			return index.Term{Dimension: dim, Op: op, Values: []string{value.Draw(t, "value")}}
		}
	})
	return rapid.Custom(func(t *rapid.T) index.Filter {
		return index.Filter{
			Where: rapid.SliceOfN(term, 0, 3).Draw(t, "where"), Exclude: rapid.SliceOfN(term, 0, 2).Draw(t, "exclude"), AsService: rapid.Bool().Draw(t, "as service"),
		}
	})
}

// files are the selected files with all that plans depend on.
func files(s *index.Selection) []string {
	var list []string
	for i := range s.Files.Len() {
		list = append(list, fmt.Sprintf("%s %d %s %q", s.Files.Key(i), s.Files.Size(i), s.Files.ETag(i), s.Files.Dims(i)))
	}
	return list
}

// A filter selects over the service what it selects of the source behind it, also what no document can say.
func TestServiceSelectsTheSame(t *testing.T) {
	m := &memory{ancestorKeys}
	src := open(t, serve(t, m))
	rapid.Check(t, func(rt *rapid.T) {
		f := filters().Draw(rt, "filter")
		want, err := index.Select(t.Context(), m, nil, "", f)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := index.Select(t.Context(), src, want.Layout, "", f)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(files(want), files(got)); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// The worked examples of the ancestors, asked as they would be.
func TestAncestorFilters(t *testing.T) {
	url := serve(t, &memory{ancestorKeys})
	for _, test := range []struct {
		id     string
		values [6]string // allowed_values as JSON; empty: "*"
		want   string    // numbers of keys, or the code of the error
	}{
		{"F01", [6]string{}, "1 2 3 4 5 6 7 8 9 10 11 12 13 14"},
		{"F02", [6]string{`["saved-session","idle-daily"]`, `["Firefox"]`, `["nightly"]`, ``, `{"min":"20140228"}`, `{"min":"20140308","max":"20140309"}`}, "2 3"},
		{"F03", [6]string{`["saved-session"]`, `["Firefox","Fennec"]`, `["nightly","aurora"]`, ``, `{"max":"20130607"}`, ``}, "7"},
		{"F04", [6]string{`["saved-session"]`, `["Firefox","Fennec"]`, `["nightly","aurora"]`, ``, `{"max":"20130607999999"}`, ``}, "6 7"},
		{"F05", [6]string{`"saved-session"`}, "1 2 6 7 8 9 10 11 12 13"},
		{"F06", [6]string{`"saved_session"`}, "1 2 6 7 8 9 10 11 12 13"},
		{"F07", [6]string{``, ``, ``, `["*"]`}, "filter/star-in-list"},
		{"F08", [6]string{``, `["OTHER"]`}, "9"},
		{"F09", [6]string{`["saved_session"]`, ``, `["nightly-ux"]`, ``, ``, `["20131013"]`}, "8"},
		{"F10", [6]string{``, ``, ``, ``, `{"min":20140228}`}, "filter/numeric-bound"},
		{"F12", [6]string{``, ``, ``, ``, `{}`}, "filter/empty-range"},
		{"F14", [6]string{``, ``, ``, ``, ``, `[]`}, "filter/empty-list"},
		{"F15", [6]string{``, ``, ``, ``, `""`}, "13"},
		{"F20", [6]string{`["Saved-Session"]`}, "none"},
		{"F21", [6]string{`{"min":"saved-session","max":"saved-session"}`}, "1 2 6 7 8 9 10 11 12 13"},
	} {
		var entries []string
		for i, name := range []string{"reason", "appName", "appUpdateChannel", "appVersion", "appBuildID", "submission_date"} {
			value := test.values[i]
			if value == "" {
				value = `"*"`
			}
			entries = append(entries, fmt.Sprintf(`{"field_name":%q,"allowed_values":%s}`, name, value))
		}
		response, err := http.Post(url+"/files", "application/json", strings.NewReader(`{"filter":{"version":1,"dimensions":[`+strings.Join(entries, ",")+`]}}`))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		want := fmt.Sprintf("200 %s", test.want)
		var numbers []string
		for i, key := range ancestorKeys {
			if strings.Contains(string(body), `"`+key+`"`) {
				numbers = append(numbers, fmt.Sprint(i+1))
			}
		}
		got := fmt.Sprintf("%d %s", response.StatusCode, strings.Join(numbers, " "))
		switch {
		case strings.HasPrefix(test.want, "filter/"):
			if response.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), `"code":"filter/`) || !strings.Contains(string(body), `"error":"`) {
				t.Errorf("%s: %d %s, want an error", test.id, response.StatusCode, body)
			}
		case test.want == "none":
			if response.StatusCode != http.StatusNotFound || string(body) != "{\"files\":[],\"row_count\":0}\n" {
				t.Errorf("%s: %d %s", test.id, response.StatusCode, body)
			}
		case got != want:
			t.Errorf("%s: %s, want %s\n%s", test.id, got, want, body)
		}
	}
}

func TestShapes(t *testing.T) {
	url := serve(t, &memory{[]string{ancestorKeys[13], ancestorKeys[2]}})
	ask := func(query string) (int, string) {
		response, err := http.Get(url + "/files" + query)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return response.StatusCode, string(body)
	}
	const all = `filter={"version":1,"dimensions":[]}`
	for _, test := range []struct {
		query  string
		status int
		want   string
	}{
		{"?" + all, 200, `{"files":["` + ancestorKeys[2] + `",` + "\n" + `"` + ancestorKeys[13] + `"],"row_count":2}` + "\n"},
		{"?shape=rows&" + all, 200, `[{"file_name":"` + ancestorKeys[2] + `","file_size":1},` + "\n" + `{"file_name":"` + ancestorKeys[13] + `","file_size":0}]` + "\n"},
		{"?shape=list&" + all, 400, `{"error":"there is no shape \"list\"; it is files or rows"}` + "\n"},
		{"", 400, "the request has no filter"},
		{`?filter={"version":1,"dimensions":[{"field_name":"apName","allowed_values":"*"}]}`, 400, "apName"},
	} {
		status, body := ask(strings.ReplaceAll(test.query, `"`, "%22"))
		if status != test.status || !strings.Contains(body, test.want) {
			t.Errorf("%s: %d %s, want %d %s", test.query, status, body, test.status, test.want)
		}
	}
	response, err := http.Post(url, "application/json", strings.NewReader(`{"filter":"`+strings.Repeat("x", 5<<20)+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Error(response.Status)
	}
}

// answers is a service that gives these answers, one after the other, the last again and again.
func answers(t *testing.T, list ...func(http.ResponseWriter)) (src *service.Source, asked *atomic.Int32) {
	asked = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list[min(int(asked.Add(1)), len(list))-1](w)
	}))
	t.Cleanup(server.Close)
	return open(t, strings.Replace(server.URL, "http://", "http://me:secretpw@", 1)+"/files"), asked
}

func says(status int, kind, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func TestAnswers(t *testing.T) {
	zipped := func(w http.ResponseWriter) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, `{"row_count":1,"files":["zipped"]}`)
		z.Close()
	}
	hangup := func(w http.ResponseWriter) { panic(http.ErrAbortHandler) }
	const kind = "application/json"
	for _, test := range []struct {
		name  string
		list  []func(http.ResponseWriter)
		want  string // files, or the error
		asked int32
	}{
		{"files", []func(http.ResponseWriter){says(200, kind, `{"files":["a","b"],"row_count":2,"more":{"x":[1]}}`)}, "a:-1: b:-1:", 1},
		{"rows", []func(http.ResponseWriter){says(200, kind, `[{"file_name":"a","file_size":"12","file_md5":"m"},{"file_name":"b","sum":3,"x":4},{"file_name":"c"}]`)}, "a:12:m b:7: c:-1:", 1},
		{"nothing", []func(http.ResponseWriter){says(404, kind, `{"files":[]}`)}, "", 1},
		{"nothing, said without a body", []func(http.ResponseWriter){says(404, "text/plain", "")}, "", 1},
		{"zipped", []func(http.ResponseWriter){zipped}, "zipped:-1:", 1},
		{"well again", []func(http.ResponseWriter){says(503, kind, ""), hangup, says(200, kind, `["a"]`)}, "a:-1:", 3},
		{"never well", []func(http.ResponseWriter){says(503, kind, `{"error":"out of order"}`)}, "503 Service Unavailable: out of order (tried 4 times)", 4},
		{"bad filter", []func(http.ResponseWriter){says(400, kind, `{"error":"no such field"}`)}, "400 Bad Request: no such field", 1},
		{"no such page", []func(http.ResponseWriter){says(404, "text/html", "<h1>Not found</h1>")}, "there is no index service at", 1},
		{"who asks", []func(http.ResponseWriter){says(401, "text/plain", "")}, "wants to know who asks", 1},
		{"cut off", []func(http.ResponseWriter){says(200, kind, `{"files":["a","b"`)}, "after 2 files: it is cut off", 1},
		{"wrong count", []func(http.ResponseWriter){says(200, kind, `{"files":["a"],"row_count":7}`)}, "it says that there are 7 files", 1},
		{"no name", []func(http.ResponseWriter){says(200, kind, `[{"name":"a"}]`)}, "file 1: it has no file_name", 1},
		{"no list", []func(http.ResponseWriter){says(200, kind, `"a"`)}, "it is neither", 1},
		{"no JSON", []func(http.ResponseWriter){says(200, kind, `<html>`)}, "invalid character", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			src, asked := answers(t, test.list...)
			var got []string
			err := src.Scan(t.Context(), func(f index.File) error {
				got = append(got, fmt.Sprintf("%s:%d:%s", f.Key, f.Size, f.ETag))
				return nil
			})
			text := strings.Join(got, " ")
			if err != nil {
				text = err.Error()
			}
			if err == nil && text != test.want || err != nil && (test.want == "" || !strings.Contains(text, test.want)) || asked.Load() != test.asked {
				t.Errorf("%s, asked %d times; want %s, %d", text, asked.Load(), test.want, test.asked)
			}
			if strings.Contains(text+src.String(), "secretpw") {
				t.Errorf("the password is in %s", text)
			}
		})
	}
}

func TestStops(t *testing.T) {
	src := open(t, serve(t, &memory{ancestorKeys}))
	enough := errors.New("enough")
	if err := src.Scan(t.Context(), func(index.File) error { return enough }); !errors.Is(err, enough) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := src.Scan(ctx, func(index.File) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"files":["a"],"row_count":1}`, `[{"file_name":"a","file_size":1}]`, `[`, `{}`, `{"files":[1]}`, `null`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got := 0
		n, err := service.Decode(data, func(f index.File) error {
			if len(f.Key) == 0 {
				t.Error("a file without a key")
			}
			got++
			return nil
		})
		if err == nil && n != got {
			t.Errorf("%d files, said %d", got, n)
		}
	})
}
