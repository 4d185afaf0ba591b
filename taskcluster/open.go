package taskcluster

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tafc/tafc/taskcluster/hawk"
)

// ArtifactReader is the content of an artifact, without the compression that it is stored with. It must be closed.
type ArtifactReader struct {
	io.Reader
	StorageType string
	ContentType string
	RunID       int // the run that it is of

	close func() error
}

// Close ends reading.
func (r *ArtifactReader) Close() error { return r.close() }

// OpenResult opens an artifact of the latest run of a task that completed. It is CodeResourceNotFound when no run has completed.
func (c *Client) OpenResult(ctx context.Context, taskID, name string) (*ArtifactReader, error) {
	status, err := c.Queue.Status(ctx, taskID)
	if err != nil {
		return nil, err
	}
	run, ok := status.LatestCompleted()
	if !ok {
		return nil, &Error{Call: "queue.getArtifact", Subject: taskID + " " + name, StatusCode: http.StatusNotFound, Code: CodeResourceNotFound,
			Message: fmt.Sprintf("no run of the task has completed, it is %s", status.State)}
	}
	return c.OpenArtifact(ctx, taskID, run.RunID, name)
}

// OpenArtifact opens an artifact of a run of a task. The queue is asked where it is; the content is read from there without signature and not
// through a task's proxy. It is an ArtifactError when the artifact could not be stored.
func (c *Client) OpenArtifact(ctx context.Context, taskID string, runID int, name string) (*ArtifactReader, error) {
	at, err := c.Queue.GetArtifact(ctx, taskID, runID, name)
	if err != nil {
		return nil, err
	}
	r, err := c.OpenContent(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("artifact %s of task %s, run %d: %w", name, taskID, runID, err)
	}
	r.RunID = runID
	return r, nil
}

// OpenContent opens what Queue.GetArtifact or Index.FindArtifactFromTask point to.
func (c *Client) OpenContent(ctx context.Context, at *ArtifactContent) (*ArtifactReader, error) {
	return retry(ctx, c.retry, func() (*ArtifactReader, error) {
		ctx, cancel := context.WithCancel(ctx)
		r, err := c.openOnce(ctx, cancel, at)
		if err != nil {
			cancel()
		}
		return r, err
	})
}

func (c *Client) openOnce(ctx context.Context, cancel context.CancelFunc, at *ArtifactContent) (*ArtifactReader, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.URL, nil)
	if err != nil {
		return nil, fmt.Errorf("the queue says that it is at an address that is not a URL")
	}
	request.Header.Set("Accept-Encoding", "gzip")
	request.Header.Set("User-Agent", c.caller.userAgent)
	response, err := send(c.content, request, c.retry.Answer, cancel)
	if err != nil {
		return nil, &networkError{call: "content", cause: err}
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		return nil, &Error{Call: "GET from " + request.URL.Host, StatusCode: response.StatusCode, Message: storeFault(response),
			retryAfter: parseRetryAfter(response.Header.Get("Retry-After"), c.caller.now())}
	}
	body, err := decoded(response)
	if err != nil {
		response.Body.Close()
		return nil, fmt.Errorf("content: %w", err)
	}
	return &ArtifactReader{
		Reader:      body,
		StorageType: at.StorageType,
		ContentType: response.Header.Get("Content-Type"),
		close: func() error {
			defer cancel()
			return response.Body.Close()
		},
	}, nil
}

// storeFault says what a store answered instead of the content.
func storeFault(response *http.Response) string {
	if response.StatusCode == http.StatusNotFound {
		return "the content is not there: it was announced and never stored, or it has expired"
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
	_, rest, _ := strings.Cut(string(text), "<Code>") // of S3
	code, _, ok := strings.Cut(rest, "</Code>")
	if !ok {
		code = http.StatusText(response.StatusCode)
	}
	return oneLine(code)
}

// SignURL makes a URL of a service that anybody can read for a while in the name of the client, such as that of an artifact which is not public.
func (c *Client) SignURL(target string, valid time.Duration) (string, error) {
	if c.caller.credentials == nil {
		return "", fmt.Errorf("no credentials to sign a URL with")
	}
	u, err := c.caller.root.Parse(target)
	if err != nil {
		return "", fmt.Errorf("not a URL that can be signed: %w", err)
	}
	if u.Host != c.caller.root.Host || u.Query().Has("bewit") {
		return "", fmt.Errorf("only URLs of %s without a signature can be signed", c.caller.root.Host)
	}
	bewit := hawk.Bewit(u, c.caller.credentials.ClientID, c.caller.credentials.AccessToken, c.caller.ext, c.caller.now().Add(valid))
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "bewit=" + bewit
	return u.String(), nil
}
