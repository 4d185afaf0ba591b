package tctest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// times differ from one server to the next, but not in how they are written.
var times = []string{"scheduled", "started", "resolved", "takenUntil", "time", "lastDateActive", "sealed", "created", "lastModified", "lastDateUsed", "lastRotated"}

// secretValues are made up by the server.
var secretValues = []string{"accessToken", "certificate", "uploadId", "continuationToken"}

func (r *replay) compareBody(t *testing.T, x *exchange, got answer) {
	var want any
	if len(x.Response.Body) == 0 || json.Unmarshal(x.Response.Body, &want) != nil {
		return
	}
	if text, ok := want.(string); ok {
		if !strings.HasPrefix(text, "See Other") && !strings.HasPrefix(text, "<html>") && text != got.text {
			t.Errorf("got %q, recorded %q", got.text, text)
		}
		return
	}
	if x.Response.Status == 500 { // only what failed inside differs
		if got.code() != "InternalServerError" || !strings.HasPrefix(got.message(), "Internal Server Error, incidentId ") {
			t.Errorf("got %s", got.text)
		}
		return
	}
	if m, _ := want.(map[string]any); m["truncated"] == true { // only the beginning was recorded
		head, _ := m["head"].(string)
		_, code, _ := strings.Cut(head, `"code": "`)
		if code, _, ok := strings.Cut(code, `"`); ok && code != got.code() {
			t.Errorf("got %s, recorded %s", got.code(), code)
		}
		return
	}
	r.compare(t, "", "", want, map[string]any(got.body))
}

func (r *replay) compare(t *testing.T, at, name string, want, got any) {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: got %v, recorded an object", at, got)
			return
		}
		names := slices.Sorted(maps.Keys(want))
		if have := slices.Sorted(maps.Keys(got)); !slices.Equal(names, have) {
			t.Errorf("%s: got the keys %v, recorded %v", at, have, names)
			return
		}
		for _, n := range names {
			r.compare(t, at+"/"+n, n, want[n], got[n])
		}
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			t.Errorf("%s: got %d entries, recorded %d", at, len(got), len(want))
			return
		}
		if name == "taskIds" { // in any order
			want, got = ordered(want), ordered(got)
		}
		for i := range want {
			r.compare(t, fmt.Sprintf("%s/%d", at, i), name, want[i], got[i])
		}
	case string:
		text, ok := got.(string)
		if !ok {
			t.Errorf("%s: got %v, recorded %q", at, got, want)
			return
		}
		r.compareText(t, at, name, want, text)
	default:
		if want != got && name != "uptime" {
			t.Errorf("%s: got %v, recorded %v", at, got, want)
		}
	}
}

func ordered(list []any) []any {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return list
}

var (
	digits = regexp.MustCompile(`[0-9]`)
	until  = regexp.MustCompile(`until/[0-9.]+`)
	atTime = regexp.MustCompile(`20\d\d-\d\d-\d\dT[0-9:.]+Z`)
)

func (r *replay) compareText(t *testing.T, at, name, want, got string) {
	switch {
	case want == got:
	case slices.Contains(secretValues, name):
	case slices.Contains(times, name) && digits.ReplaceAllString(want, "0") == digits.ReplaceAllString(got, "0"):
	case name == "expires" && digits.ReplaceAllString(want, "0") == digits.ReplaceAllString(got, "0") && moves(at, want, got):
	case name == "message":
		if a, b := messageForm(want), messageForm(strings.ReplaceAll(got, r.s.RootURL, "http://tc.example.org")); a != b {
			t.Errorf("message: got\n%s\nrecorded\n%s", b, a)
		}
	case name == "clientId" && until.ReplaceAllString(want, "") == until.ReplaceAllString(got, ""):
	case name == "url" || name == "putUrl":
		compareURL(t, at, want, got)
	case at == "/version", at == "/description": // of the deployment
	default:
		t.Errorf("%s: got %q, recorded %q", at, got, want)
	}
}

// moves says whether an expiry follows the time of the call, as that of an address does, rather than being a given value.
func moves(at, want, got string) bool {
	return at == "/expires" && !strings.HasPrefix(want, got[:10]) == false || strings.Contains(at, "uploadMethod") || strings.Contains(at, "taskQueues")
}

// messageForm is a message without what differs from call to call; the complaints of a schema are put in order.
func messageForm(text string) string {
	text, _, _ = strings.Cut(text, "\n\n---")
	text = until.ReplaceAllString(text, "until/…")
	text = atTime.ReplaceAllString(text, "…")
	head, list, ok := strings.Cut(text, "\nErrors:\n")
	if !ok {
		return text
	}
	lines := strings.Split(list, "\n")
	slices.Sort(lines)
	return head + "\n" + strings.Join(lines, "\n")
}

// compareURL compares what is signed in and what for: the path below the bucket, and whether there is a signature.
func compareURL(t *testing.T, at, want, got string) {
	w, _ := url.Parse(want)
	g, err := url.Parse(got)
	if err != nil || w.Scheme != g.Scheme || !strings.HasSuffix(g.EscapedPath(), w.EscapedPath()) ||
		w.Query().Has("X-Amz-Signature") != g.Query().Has("X-Amz-Signature") {
		t.Errorf("%s: got %s, recorded %s", at, got, want)
	}
}
