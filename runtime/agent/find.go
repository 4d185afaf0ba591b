package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/taskcluster"
)

// document finds out what this task is to do.
func (a *agent) document(ctx context.Context) (*Document, error) {
	text := os.Getenv(EnvDocument)
	if text == "" {
		if a.taskID == "" {
			return nil, &Failure{Cause: job.CauseBadSpec, Message: "there is nothing to do: neither " + EnvDocument + " nor TASK_ID is set",
				Hint: "taf-mapper task is what workers of Taskcluster run in tasks that tafc has made"}
		}
		tc, err := a.services()
		if err != nil {
			return nil, err
		}
		definition, err := tc.Queue.Task(ctx, a.taskID)
		if err != nil {
			return nil, refused(ctx, "the definition of this task", err)
		}
		extra, err := extraOf(definition)
		if err != nil {
			return nil, &Failure{Cause: job.CauseBadSpec, Message: err.Error()}
		}
		if text = extra.Document; text == "" {
			return nil, &Failure{Cause: job.CauseBadSpec, Message: fmt.Sprintf("the task %s does not say what to do: %s is not set, and there is no extra.%s.document in its definition", a.taskID, EnvDocument, Extra),
				Hint: "make tasks with tafc apply"}
		}
	}
	// User code gets the environment, and has no use for this.
	if err := os.Unsetenv(EnvDocument); err != nil {
		return nil, err
	}
	d, err := Decode(text)
	if err != nil {
		return nil, &Failure{Cause: job.CauseBadSpec, Message: err.Error()}
	}
	return d, nil
}

// extraOf reads extra.tafc of a definition, of which tafc may keep more there than the agent reads.
func extraOf(task *taskcluster.TaskDefinition) (ExtraDocument, error) {
	var extra map[string]json.RawMessage
	var own ExtraDocument
	if len(task.Extra) == 0 {
		return own, nil
	}
	if err := json.Unmarshal(task.Extra, &extra); err != nil {
		return own, fmt.Errorf("extra of the task's definition makes no sense: %w", err)
	}
	if len(extra[Extra]) == 0 {
		return own, nil
	}
	if err := json.Unmarshal(extra[Extra], &own); err != nil {
		return own, fmt.Errorf("extra.%s of the task's definition makes no sense: %w", Extra, err)
	}
	return own, nil
}

// FromTask reads the Document out of a task's definition.
func FromTask(task *taskcluster.TaskDefinition) (*Document, error) {
	var payload struct {
		Env map[string]string `json:"env"`
	}
	if err := json.Unmarshal(task.Payload, &payload); err != nil {
		return nil, fmt.Errorf("the payload of the task makes no sense: %w", err)
	}
	text := payload.Env[EnvDocument]
	if text == "" {
		extra, err := extraOf(task)
		if err != nil {
			return nil, err
		}
		text = extra.Document
	}
	if text == "" {
		return nil, fmt.Errorf("the task %q was not made by tafc: it holds no document", task.Metadata.Name)
	}
	return Decode(text)
}
