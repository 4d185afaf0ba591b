package taskcluster_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/taskcluster"
)

func TestTime(t *testing.T) {
	zone := time.FixedZone("", 2*60*60)
	for text, at := range map[string]time.Time{
		`"2026-11-23T09:23:18.700Z"`: time.Date(2026, 11, 23, 11, 23, 18, 700_999_999, zone),
		`"2026-11-23T09:23:18.000Z"`: time.Date(2026, 11, 23, 9, 23, 18, 0, time.UTC),
	} {
		got, err := json.Marshal(taskcluster.At(at))
		if err != nil || string(got) != text {
			t.Errorf("%s, %v, want %s", got, err, text)
		}
		var back taskcluster.Time
		if err := json.Unmarshal(got, &back); err != nil || !back.Equal(taskcluster.At(at)) {
			t.Errorf("%v, %v", back, err)
		}
	}
	var offset taskcluster.Time // claimWork writes so
	if err := json.Unmarshal([]byte(`"2026-11-23T09:43:19.974+00:00"`), &offset); err != nil || offset.String() != "2026-11-23T09:43:19.974Z" {
		t.Errorf("%v, %v", offset, err)
	}
}

// What is not said is left to the queue's defaults, and is not in the text either: retries of none are not the default.
func TestDefinitionText(t *testing.T) {
	none := 0
	d := taskcluster.TaskDefinition{TaskQueueID: "p/w", Payload: json.RawMessage(`{ "a": "<&>" }`), Retries: &none}
	got, err := json.Marshal(&d)
	want := `{"taskQueueId":"p/w","retries":0,"created":"0001-01-01T00:00:00.000Z","deadline":"0001-01-01T00:00:00.000Z","payload":{"a":"\u003c\u0026\u003e"},"metadata":{"name":"","description":"","owner":"","source":""}}`
	if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestRuns(t *testing.T) {
	for name, tt := range map[string]struct {
		runs              string // states, in the order of the answer
		latest, completed int    // -1: none
	}{
		"none":             {"", -1, -1},
		"pending":          {"0 pending", 0, -1},
		"retried":          {"0 exception, 1 completed", 1, 1},
		"rerun":            {"0 completed, 1 completed, 2 failed", 2, 1},
		"in another order": {"2 failed, 1 completed, 0 completed", 2, 1},
		"an unknown state": {"0 completed, 1 paused", 1, 0},
	} {
		var s taskcluster.Status
		for _, text := range strings.Split(tt.runs, ", ") {
			if n, state, ok := strings.Cut(text, " "); ok {
				s.Runs = append(s.Runs, taskcluster.Run{RunID: number(n), State: taskcluster.State(state)})
			}
		}
		check := func(what string, r taskcluster.Run, ok bool, want int) {
			if ok != (want >= 0) || ok && r.RunID != want {
				t.Errorf("%s: %s run %d, %v", name, what, r.RunID, ok)
			}
		}
		r, ok := s.LatestRun()
		check("latest", r, ok, tt.latest)
		r, ok = s.LatestCompleted()
		check("completed", r, ok, tt.completed)
	}
	for state, want := range map[taskcluster.State]bool{"completed": true, "failed": true, "exception": true, "pending": false, "unscheduled": false, "paused": false} {
		if state.Resolved() != want {
			t.Error(state)
		}
	}
}
