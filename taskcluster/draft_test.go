package taskcluster

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A draft that is sent is the definition with the time of sending, whatever stands before and behind that time.
func TestDraft(t *testing.T) {
	d := TaskDefinition{
		TaskQueueID: "proj-taf/ci", SchedulerID: `"created":"`, Routes: []string{`a "created":"2000-01-01T00:00:00.000Z" route`}, Dependencies: []string{},
		Deadline: At(time.Unix(2e9, 0)), Payload: json.RawMessage(`{"created":"2001-01-01T00:00:00.000Z"}`), Tags: map[string]string{"created": "2002-02-02"},
	}
	draft, err := NewDraft(&d)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{time.Unix(1.9e9, 123456789), time.Unix(1.8e9, 0)} {
		d.Created = At(at)
		want, err := marshal(&d)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(draft.body(at))); diff != "" || draft.Size() != len(want) {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
