package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/taskcluster"
)

// code unpacks the user's code and returns its folder.
func (a *agent) code(ctx context.Context, c *Code) (string, error) {
	archive, err := a.archive(ctx, c)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(archive)
	if got := hex.EncodeToString(sum[:]); got != c.SHA256 {
		return "", &Failure{Cause: job.CauseCorrupt, Message: fmt.Sprintf("the code is not the one that was planned: its SHA-256 is %s, not %s", got, c.SHA256),
			Hint: "apply again; if the code is part of the image or a mount, build that again"}
	}
	dir := filepath.Join(a.work, "code")
	if err := os.RemoveAll(dir); err != nil {
		return "", &Failure{Cause: job.CauseWrite, Message: fmt.Sprintf("the old code cannot be removed: %v", err)}
	}
	if err := unpack(bytes.NewReader(archive), dir); err != nil {
		return "", &Failure{Cause: job.CauseCorrupt, Message: fmt.Sprintf("the code cannot be unpacked: %v", err), Hint: "look at the disk of the worker, then apply again"}
	}
	a.j.event("agent.code", "bytes", len(archive), "sha256", c.SHA256)
	return dir, nil
}

// archive gets the archive of the code from where it is.
func (a *agent) archive(ctx context.Context, c *Code) ([]byte, error) {
	switch {
	case len(c.Inline) > 0:
		return c.Inline, nil
	case c.Path != "":
		data, err := os.ReadFile(c.Path)
		if err != nil {
			return nil, &Failure{Cause: job.CauseBadSpec, Message: fmt.Sprintf("the code is not where it should be mounted, or in the image: %v", err)}
		}
		return data, nil
	}
	tc, err := a.services()
	if err != nil {
		return nil, err
	}
	var archive []byte
	for _, id := range c.Carriers {
		chunk, err := carried(ctx, tc, id)
		if err != nil {
			return nil, err
		}
		archive = append(archive, chunk...)
		if len(archive) > MaxCarried {
			return nil, &Failure{Cause: job.CauseCorrupt, Message: fmt.Sprintf("the code has more than %d MiB", MaxCarried>>20)}
		}
	}
	return archive, nil
}

// carried is the chunk of an archive that a task's definition holds.
func carried(ctx context.Context, tc *taskcluster.Client, id string) ([]byte, error) {
	task, err := tc.Queue.Task(ctx, id)
	if err != nil {
		return nil, refused(ctx, "the code, which the definition of the task "+id+" holds,", err)
	}
	extra, err := extraOf(task)
	if err != nil {
		return nil, &Failure{Cause: job.CauseCorrupt, Message: err.Error()}
	}
	chunk, err := base64.StdEncoding.DecodeString(extra.Code)
	if err != nil || len(chunk) == 0 {
		return nil, &Failure{Cause: job.CauseCorrupt, Message: fmt.Sprintf("the definition of the task %s holds no code", id)}
	}
	return chunk, nil
}
