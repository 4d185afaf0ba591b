package agent

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// journal writes what happens: events for programs, the log for people. The worker shows the log while the task runs.
type journal struct {
	mu     sync.Mutex
	events io.Writer
	log    io.Writer
}

// event writes an event with pairs of names and values.
func (j *journal) event(name string, fields ...any) {
	line := fmt.Appendf(nil, `{"time":%q,"event":%q`, time.Now().UTC().Format(time.RFC3339Nano), name)
	for i := 0; i+1 < len(fields); i += 2 {
		value, err := json.Marshal(fields[i+1])
		if err != nil {
			value = []byte("null")
		}
		line = append(fmt.Appendf(line, `,%q:`, fields[i]), value...)
	}
	_, _ = j.eventWriter().Write(append(line, "}\n"...)) // a task does not fail because its journal does
}

func (j *journal) say(format string, args ...any) {
	_, _ = fmt.Fprintf(j.writer(), format+"\n", args...)
}

// writer is the log for others, who write to it a line at a time.
func (j *journal) writer() io.Writer { return &shared{mu: &j.mu, w: j.log} }

func (j *journal) eventWriter() io.Writer { return &shared{mu: &j.mu, w: j.events} }

// shared keeps writers from each other's lines.
type shared struct {
	mu *sync.Mutex
	w  io.Writer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}
