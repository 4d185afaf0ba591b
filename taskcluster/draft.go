package taskcluster

import (
	"bytes"
	"context"
	"net/http"
	"time"
)

// Draft is the text of a definition, made ahead, so that many tasks are created as fast as they can be sent. Only the time of creation is
// still open. Two calls at a time must not use the same one.
type Draft struct {
	text []byte
	at   int // where the time stands
}

// encoded is a body that is JSON already.
type encoded []byte

// NewDraft writes a definition, whose Created does not count.
func NewDraft(d *TaskDefinition) (*Draft, error) {
	text, err := marshal(d)
	if err != nil {
		return nil, err
	}
	key := []byte(`"created":"`)
	return &Draft{text: text, at: bytes.Index(text, key) + len(key)}, nil // before it there are only texts, in which quotes are escaped
}

// Size is how many bytes are sent.
func (d *Draft) Size() int { return len(d.text) }

// body is the definition of a task that is created at a time.
func (d *Draft) body(created time.Time) encoded {
	copy(d.text[d.at:], At(created).String())
	return d.text
}

func (q *queue) CreateDraft(ctx context.Context, taskID string, draft *Draft, created time.Time) error {
	_, err := q.do(ctx, call{service: "queue", name: "createTask", subject: taskID, method: http.MethodPut, path: pathOf("/task/", taskID), body: draft.body(created)})
	return err
}
