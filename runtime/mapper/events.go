package mapper

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// journal writes what happens: events.jsonl for programs, the log for people. Every line is written at once, so that both
// survive the task.
type journal struct {
	mu     sync.Mutex
	events io.Writer
	log    io.Writer
}

// field is one value of an event; a slice of them keeps their order.
type field struct {
	name  string
	value any
}

func (j *journal) event(name string, fields ...field) {
	line := fmt.Appendf(nil, `{"time":%q,"event":%q`, time.Now().UTC().Format(time.RFC3339Nano), name)
	for _, f := range fields {
		value, err := json.Marshal(f.value)
		if err != nil {
			value = []byte("null")
		}
		line = append(fmt.Appendf(line, `,%q:`, f.name), value...)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.events != nil {
		_, _ = j.events.Write(append(line, "}\n"...)) // a task does not fail because its journal does
	}
}

func (j *journal) say(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.log != nil {
		fmt.Fprintf(j.log, format+"\n", args...)
	}
}

// bytesText is a number of bytes for people.
func bytesText(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, i := float64(n)/1024, 0
	for f >= 1024 && i < len(units)-1 {
		f /= 1024
		i++
	}
	return fmt.Sprintf("%.1f %ciB", f, units[i])
}
