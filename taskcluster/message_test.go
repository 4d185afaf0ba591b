package taskcluster

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/taskcluster/scope"
)

func TestParseError(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		kind   string
		body   string
		want   string
	}{
		"schema": {400, "application/json", `{"code": "InputValidationError", "message": "\nSchema Validation Failed!\nRejecting Schema: http://tc/schemas/x.json#\nErrors:\n  * data must NOT have additional properties: \"bogus\"\n  * data/payload must be object\n\n---\n\n* method:     createTask\n* statusCode: 400", "requestInfo": {"payload": {"a": "hidden"}}}`,
			`queue.x: 400 InputValidationError: Schema Validation Failed! data must NOT have additional properties: "bogus"; data/payload must be object`},
		"dependencies": {400, "application/json", "{\"code\": \"InputError\", \"message\": \"`task.dependencies` references non-existing tasks: \\n * L8PBK-XVSAmbv-BNduMOAQ\\nAll taskIds\\n\\n---\\n\\n* method: createTask\"}",
			"queue.x: 400 InputError: `task.dependencies` references non-existing tasks: L8PBK-XVSAmbv-BNduMOAQ"},
		"wrapped line": {409, "application/json", `{"code": "RequestConflict", "message": "Task group contains tasks with a schedulerId other\nthan mine.\n\n---\n\n* method: createTask"}`,
			"queue.x: 409 RequestConflict: Task group contains tasks with a schedulerId other than mine."},
		"object": {409, "application/json", `{"code": "RequestConflict", "message": "Artifact already exists with different properties: {\n  \"contentType\": \"hidden\"\n}\n\n---"}`,
			"queue.x: 409 RequestConflict: Artifact already exists with different properties"},
		"internal": {500, "application/json", `{"code": "InternalServerError", "message": "Internal Server Error, incidentId 07af. Error (not shown in production):\n` + "```" + `\nerror: hidden"}`,
			"queue.x: 500 InternalServerError: Internal Server Error, incidentId 07af."},
		"scopes": {403, "application/json", `{"code": "InsufficientScopes", "message": "Client ID me is missing the following scopes:\n\n` + "```" + `\n{\"AllOf\": [\"a\", {\"AnyOf\": [\"b\", \"c\"]}]}\n` + "```" + `\n\nThis request requires: ` + "```hidden```" + `"}`,
			"queue.x: 403 InsufficientScopes: Client ID me is missing the following scopes: a and (b or c)"},
		"one scope": {403, "application/json", `{"code": "InsufficientScopes", "message": "Missing:\n\n` + "```" + `\nsecrets:get:taf/x\n` + "```" + `"}`,
			"queue.x: 403 InsufficientScopes: Missing: secrets:get:taf/x"},
		"html":           {502, "text/html; charset=utf-8", "<html>\r\n<head><title>502 Bad &amp; Gateway</title></head>", "queue.x: 502: 502 Bad & Gateway (an answer of text/html, not of a Taskcluster service)"},
		"html, no title": {413, "text/html", "<html>", "queue.x: 413: Request Entity Too Large (an answer of text/html, not of a Taskcluster service)"},
		"router":         {404, "application/json", `{"error": "Not found"}`, "queue.x: 404: Not found"},
		"empty":          {429, "", "", "queue.x: 429: Too Many Requests (an answer of no known type, not of a Taskcluster service)"},
		"control":        {400, "application/json", `{"code": "InputError", "message": "a\u001b[31mb\u202ec"}`, "queue.x: 400 InputError: a[31mbc"},
	} {
		e := parseError(tt.status, tt.kind, []byte(tt.body))
		e.Call = "queue.x"
		if diff := cmp.Diff(tt.want, e.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestMissingScopes(t *testing.T) {
	e := parseError(403, "application/json", []byte(`{"code": "InsufficientScopes", "message": "x\n`+"```"+`\n{\"AllOf\": [\"queue:create-task:project:none\", {\"AnyOf\": [\"queue:create-task:highest:p/w\", \"queue:create-task:lowest:p/w\"]}]}\n`+"```"+`"}`))
	want := []string{"queue:create-task:lowest:p/w", "queue:create-task:project:none"}
	if diff := cmp.Diff(want, e.Missing.Scopes()); diff != "" {
		t.Error(diff)
	}
	if !e.Missing.SatisfiedBy([]string{"queue:create-task:*"}) || e.Missing.SatisfiedBy(want[:1]) {
		t.Error(e.Missing)
	}
	if diff := cmp.Diff(scope.Expression{AnyOf: []scope.Expression{{Scope: "queue:create-task:highest:p/w"}, {Scope: "queue:create-task:lowest:p/w"}}}, e.Missing.Missing(want[1:])); diff != "" {
		t.Error(diff)
	}
}

// Whatever an answer is, its error is a line of printable text of bounded length, without what stood in requestInfo.
func FuzzParseError(f *testing.F) {
	f.Add(400, "application/json", `{"code": "InputError", "message": "a\n\n---\n* b", "requestInfo": {}}`)
	f.Add(403, "application/json", "{\"code\": \"InsufficientScopes\", \"message\": \"x\\n```\\n{\\\"AllOf\\\": [\\\"a\\\"]}\\n```\"}")
	f.Add(424, "application/json", `{"reason": "file-missing-on-worker", "message": "m"}`)
	f.Add(502, "text/html", "<title>x</title>")
	f.Fuzz(func(t *testing.T, status int, kind, body string) {
		e := parseError(status, kind, []byte(body))
		text := e.Error()
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q", text)
		}
		if e.Missing.IsZero() && len([]rune(text)) > (maxDetails+4)*(maxMessage+3) {
			t.Errorf("%d characters", len(text))
		}
	})
}

func TestCheckBody(t *testing.T) {
	for name, tt := range map[string]struct{ body, want string }{
		"good":             {`{"a": "ä\u00e4\ud83d\ude00\\u0000 \"", "b": [1, null, "\n"]}`, ""},
		"NUL":              {`{"payload": {"env": {"A": "", "B": "x\u0000y"}}}`, "payload.env.B has the character U+0000"},
		"NUL in a list":    {`{"payload": {"command": [["sh"], ["a", "\u0000"]]}}`, "payload.command.1.1 has the character U+0000"},
		"NUL in a key":     {`{"payload": {"a\u0000b": 1}}`, "payload.ab has the character U+0000"},
		"high half":        {`{"a": "\ud83d"}`, "a has half of a surrogate pair"},
		"high half, other": {`{"a": "\ud83d\u0041"}`, "a has half of a surrogate pair"},
		"low half":         {`{"a": {"b": 1}, "c": "\ude00"}`, "c has half of a surrogate pair"},
		"two high":         {`{"a": "\ud83d\ud83d\ude00"}`, "a has half of a surrogate pair"},
		"not UTF-8":        {"{\"a\": \"\xed\xa0\xbd\"}", "a has a byte that is not UTF-8"},
		"text":             {`"\u0000"`, "the body has the character U+0000"},
	} {
		err := CheckBody([]byte(tt.body))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	body := []byte(`"` + strings.Repeat("a", MaxBody-2) + `"`)
	if err := CheckBody(body); err != nil {
		t.Error(err)
	}
	if err := CheckBody(append(body, ' ')); err == nil || !strings.Contains(err.Error(), "10485761 bytes") {
		t.Error(err)
	}
}

// What is let through has no character that cannot be stored, and checking never fails otherwise.
func FuzzCheckBody(f *testing.F) {
	f.Add(`{"a": ["\\u0000", {"b": "\ud83d\ude00\ud83d"}]}`)
	f.Add(`{"a\u0000": 1}`)
	f.Fuzz(func(t *testing.T, body string) {
		var v any
		if json.Unmarshal([]byte(body), &v) != nil {
			_ = CheckBody([]byte(body))
			return
		}
		var bad func(v any) bool
		bad = func(v any) bool {
			switch v := v.(type) {
			case string:
				return strings.ContainsRune(v, 0)
			case []any:
				return slices.ContainsFunc(v, bad)
			case map[string]any:
				return slices.ContainsFunc(slices.Collect(maps.Keys(v)), func(k string) bool { return bad(k) || bad(v[k]) })
			}
			return false
		}
		if err := CheckBody([]byte(body)); err == nil && bad(v) {
			t.Errorf("%q was let through", body)
		}
	})
}
