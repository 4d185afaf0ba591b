package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/taskcluster"
)

// How an artifact is fetched.
const (
	fetchAttempts = 6
	maxReport     = 64 << 20    // bytes of a report
	silence       = time.Minute // how long a body may stall
)

// reportOf reads a report that a run has left.
func reportOf(ctx context.Context, tc *taskcluster.Client, taskID string, run int, name string) (*job.Report, error) {
	var report *job.Report
	err := again(ctx, func(ctx context.Context) error {
		return content(ctx, tc, taskID, run, name, func(r io.Reader) error {
			data, err := io.ReadAll(io.LimitReader(r, maxReport+1))
			if err != nil {
				return err
			}
			report = new(job.Report)
			if err := json.Unmarshal(data, report); err != nil || len(data) > maxReport {
				return &Failure{Cause: job.CauseCorrupt, Message: fmt.Sprintf("the artifact %s of the task %s is no report", name, taskID)}
			}
			if report.Version != job.Version {
				return &Failure{Cause: job.CauseBadSpec, Message: fmt.Sprintf("the report of the task %s has version %d, this taf-mapper knows version %d", taskID, report.Version, job.Version),
					Hint: "plan again with one release of tafc and its images"}
			}
			return nil
		})
	})
	return report, err
}

// part fetches a part to its path, and compares it with what the report of its task says.
func (a *agent) part(ctx context.Context, tc *taskcluster.Client, in *input, name string, p job.Part) error {
	if err := os.MkdirAll(filepath.Dir(p.Path), 0o755); err != nil {
		return &Failure{Cause: job.CauseWrite, Message: err.Error()}
	}
	attempt := 0
	err := again(ctx, func(ctx context.Context) error {
		if attempt++; attempt > 1 {
			a.j.event("agent.fetch.retry", "task", in.Task, "artifact", name, "attempt", attempt)
		}
		return content(ctx, tc, in.TaskID, in.run, name, func(r io.Reader) error { return save(r, p) })
	})
	if err == nil {
		return nil
	}
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return refused(ctx, "the result of "+in.Task, err)
}

// save writes a part as it comes. Another content than expected may be half an answer, so it is worth another attempt.
func save(r io.Reader, p job.Part) error {
	f, err := os.Create(p.Path)
	if err != nil {
		return &Failure{Cause: job.CauseWrite, Message: err.Error()}
	}
	sum := sha256.New()
	disk := &told{w: f}
	n, err := io.Copy(io.MultiWriter(disk, sum), r)
	if closed := f.Close(); disk.err == nil {
		disk.err = closed
	}
	switch {
	case disk.err != nil:
		return &Failure{Cause: job.CauseWrite, Message: fmt.Sprintf("the input cannot be stored: %v", disk.err), Hint: "give the workers a larger disk, or read less at once with a smaller fan_in"}
	case err != nil:
		return err
	case n != p.Size:
		return &wrongError{fmt.Sprintf("it has %d bytes, not %d", n, p.Size)}
	case hex.EncodeToString(sum.Sum(nil)) != p.Digest:
		return &wrongError{fmt.Sprintf("its SHA-256 is %x, not %s", sum.Sum(nil), p.Digest)}
	}
	return nil
}

// told remembers that it was the disk that failed.
type told struct {
	w   io.Writer
	err error
}

func (t *told) Write(p []byte) (int, error) {
	n, err := t.w.Write(p)
	if err != nil {
		t.err = err
	}
	return n, err
}

// wrongError is a content that is not the one that its task reported.
type wrongError struct{ text string }

func (e *wrongError) Error() string {
	return "the artifact is not the one that its task made: " + e.text
}

// content hands the content of an artifact to read. A body that stalls is given up.
func content(ctx context.Context, tc *taskcluster.Client, taskID string, run int, name string, read func(io.Reader) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	body, err := tc.OpenArtifact(ctx, taskID, run, name)
	if err != nil {
		return err
	}
	defer body.Close()
	timer := time.AfterFunc(silence, func() { cancel(errors.New("the server sent nothing for " + silence.String())) })
	defer timer.Stop()
	err = read(&heard{r: body, timer: timer})
	if err != nil && context.Cause(ctx) != nil {
		return context.Cause(ctx)
	}
	return err
}

// heard notes that something has come.
type heard struct {
	r     io.Reader
	timer *time.Timer
}

func (h *heard) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.timer.Reset(silence)
	return n, err
}

// again tries until it works, it is clear that it will not, or the attempts are used up.
func again(ctx context.Context, try func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		err := try(ctx)
		if err == nil || ctx.Err() != nil || attempt == fetchAttempts || final(err) {
			return err
		}
		pause := min(100*time.Millisecond<<attempt, 10*time.Second)
		select {
		case <-time.After(pause/2 + rand.N(pause/2)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// final tells whether another attempt will not help.
func final(err error) bool {
	var f *Failure
	var api *taskcluster.Error
	var artifact *taskcluster.ArtifactError
	switch {
	case errors.As(err, &f), errors.As(err, &artifact):
		return true
	case errors.As(err, &api):
		return api.StatusCode != http.StatusTooManyRequests && api.StatusCode < 500
	}
	return false
}
