package tctest_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tafc/tafc/taskcluster/tctest"
)

func TestCreateRefuses(t *testing.T) {
	s, c := start(t, tctest.Options{})
	c.create(s, id(1), nil)
	at := func(d time.Duration) string { return s.Clock().Now().Add(d).Format(time.RFC3339) }
	tests := []struct {
		name    string
		changes map[string]any
		code    string
		text    string
	}{
		{"no payload", map[string]any{"payload": nil}, "InputValidationError", "required property 'payload'"},
		{"a field that is none", map[string]any{"bogus": 1}, "InputValidationError", `additional properties: "bogus"`},
		{"priority normal", map[string]any{"priority": "normal"}, "InputValidationError", "allowed values"},
		{"created too old", map[string]any{"created": at(-16 * time.Minute)}, "InputError", "`created` cannot be in the past"},
		{"created too new", map[string]any{"created": at(16 * time.Minute)}, "InputError", "`created` cannot be in the future"},
		{"deadline past", map[string]any{"created": at(-2 * time.Minute), "deadline": at(-time.Minute)}, "InputError", "`deadline` cannot be in the past"},
		{"both stale: created first", map[string]any{"created": at(-2 * time.Hour), "deadline": at(-time.Hour)}, "InputError", "`created`"},
		{"deadline too far", map[string]any{"deadline": at(6 * 24 * time.Hour), "expires": nil}, "InputError", "5 days"},
		{"expires early", map[string]any{"expires": at(time.Minute)}, "InputError", "`expires` cannot be before"},
		{"double star", map[string]any{"scopes": []string{"a**"}}, "InputError", "**"},
		{"unknown dependency", map[string]any{"dependencies": []string{id(77)}}, "InputError", id(77)},
		{"dependency expires early", map[string]any{"dependencies": []string{id(1)}, "deadline": at(25 * time.Hour), "expires": nil}, "InputError", id(1)},
		{"NUL", map[string]any{"payload": map[string]any{"a": "x\x00y"}}, "InternalServerError", "22P05"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := c.call("PUT", "/api/queue/v1/task/"+id(2), aTask(s, tt.changes))
			if a.code() != tt.code || !strings.Contains(a.message(), tt.text) {
				t.Errorf("got %d %s: %s", a.status, a.code(), a.message())
			}
			if gone := c.status(id(2)); gone.status != 404 {
				t.Errorf("something was stored: %s", gone.text)
			}
		})
	}
}

func TestSurrogates(t *testing.T) {
	s, c := start(t, tctest.Options{})
	def := func(text string) string {
		now := s.Clock().Now()
		return fmt.Sprintf(`{"taskQueueId":"a/b","created":%q,"deadline":%q,"metadata":{"name":"n","description":"d","owner":"o","source":"https://x"},"payload":{"a":"%s"}}`,
			now.Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339), text)
	}
	for n, tt := range []struct {
		text   string
		status int
	}{{`\ud83d\ude00`, 200}, {`\\ud83d`, 200}, {`\\\\u0000`, 200}, {`\ud83d`, 500}, {`\ude00`, 500}, {`\ud83dx\ude00`, 500}, {`\u0000`, 500}, {`\\\u0000`, 500}} {
		if a := c.call("PUT", "/api/queue/v1/task/"+id(n), def(tt.text)); a.status != tt.status {
			t.Errorf("%s: %d %s", tt.text, a.status, a.message())
		}
	}
}

// The comparison is of what is stored: defaults, the order of keys and the spelling of dates do not matter, the order of lists does.
func TestRepeats(t *testing.T) {
	clock := tctest.StillClock(time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC))
	s, c := start(t, tctest.Options{Clock: clock})
	c.create(s, id(1), nil)
	c.create(s, id(2), nil)
	first := map[string]any{"dependencies": []string{id(1), id(2)}}
	c.create(s, id(3), first)
	again := func(changes map[string]any) int {
		all := map[string]any{"dependencies": []string{id(1), id(2)}}
		for name, value := range changes {
			all[name] = value
		}
		return c.call("PUT", "/api/queue/v1/task/"+id(3), aTask(s, all)).status
	}
	for _, tt := range []struct {
		name    string
		changes map[string]any
		status  int
	}{
		{"the same", nil, 200},
		{"with defaults", map[string]any{"priority": "lowest", "retries": 5, "tags": map[string]any{}, "taskGroupId": id(3), "provisionerId": "proj-taf", "workerType": "ci"}, 200},
		{"another spelling of a date", map[string]any{"created": "2026-11-25T10:00:00+00:00"}, 200},
		{"digits beyond the millisecond", map[string]any{"created": "2026-11-25T10:00:00.000900Z"}, 200},
		{"another order", map[string]any{"dependencies": []string{id(2), id(1)}}, 409},
		{"another date", map[string]any{"created": "2026-11-25T10:00:01Z"}, 409},
		{"another payload", map[string]any{"payload": map[string]any{"a": 1}}, 409},
		{"another priority", map[string]any{"priority": "low"}, 409},
	} {
		if got := again(tt.changes); got != tt.status {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.status)
		}
	}
	created, deadline := clock.Now().Format(time.RFC3339), clock.Now().Add(time.Hour).Format(time.RFC3339)
	clock.Advance(16 * time.Minute)
	if got := again(map[string]any{"created": created, "deadline": deadline}); got != 400 {
		t.Errorf("the same, 16 minutes later: %d, want 400", got)
	}
}

func TestConcurrentCreates(t *testing.T) {
	s, c := start(t, tctest.Options{})
	count := func(n int, body func(i int) any) map[int]int {
		var mu sync.Mutex
		got := map[int]int{}
		var wg sync.WaitGroup
		for i := range 8 {
			def := body(i)
			wg.Go(func() {
				a, err := c.try("PUT", "/api/queue/v1/task/"+id(n), def)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					got[a.status]++
				}
			})
		}
		wg.Wait()
		return got
	}
	same := aTask(s, nil)
	if got := count(1, func(int) any { return same }); got[200] != 8 {
		t.Errorf("identical: %v", got)
	}
	if got := count(2, func(i int) any { return aTask(s, map[string]any{"payload": map[string]any{"i": i}}) }); got[200] != 1 || got[409] != 7 {
		t.Errorf("conflicting: %v", got)
	}
}

func TestManyDependencies(t *testing.T) {
	for version, most := range map[int]int{44: 100, 106: 10_000} {
		s, c := start(t, tctest.Options{Version: version})
		all := make([]string, most+1)
		for i := range all {
			all[i] = id(i)
		}
		create := func(dependencies []string) answer {
			return c.call("PUT", "/api/queue/v1/task/"+id(50_000), aTask(s, map[string]any{"dependencies": dependencies}))
		}
		wantStatus(t, create(all), 400, "InputValidationError")
		wantStatus(t, create(all[:most]), 400, "InputError") // so many are allowed, but these do not exist

		some := all[:100]
		for _, one := range some {
			c.create(s, one, nil)
		}
		wantStatus(t, create(some), 200, "")
		for i, one := range some {
			if got := c.state(id(50_000)); got != "unscheduled" {
				t.Fatalf("v%d: with %d to go it is %s", version, len(some)-i, got)
			}
			if err := s.Complete(one); err != nil {
				t.Fatal(err)
			}
		}
		if got := c.state(id(50_000)); got != "pending" {
			t.Errorf("v%d: with none to go it is %s", version, got)
		}
	}
}

func TestBodyLimit(t *testing.T) {
	s, c := start(t, tctest.Options{})
	def := string(mustJSON(aTask(s, map[string]any{"payload": map[string]any{"a": "HERE"}})))
	big := strings.Replace(def, "HERE", strings.Repeat("a", 10<<20-len(def)+len("HERE")), 1)
	if a := c.call("PUT", "/api/queue/v1/task/"+id(1), big); a.status != 200 {
		t.Errorf("10 MiB (%d bytes): %d %s", len(big), a.status, a.message())
	}
	wantStatus(t, c.call("PUT", "/api/queue/v1/task/"+id(2), " "+big), 500, "InternalServerError")
}

func TestFrontLimit(t *testing.T) {
	s, c := start(t, tctest.Options{FrontLimit: 1 << 20})
	a := c.call("PUT", "/api/queue/v1/task/"+id(1), aTask(s, map[string]any{"payload": map[string]any{"a": strings.Repeat("a", 1<<20)}}))
	if a.status != 413 || !strings.Contains(a.text, "<html>") {
		t.Errorf("got %d %s", a.status, a.text)
	}
}
