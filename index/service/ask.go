package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/redact"
)

// ask sends a request, again when the service is not well, and yields the files of the answer.
func (s *Source) ask(ctx context.Context, r request, fn func(index.File) error) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	// A service that says nothing any more must not hold up a plan forever.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	response, err := s.send(ctx, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return s.notFound(response)
	}
	if response.StatusCode != http.StatusOK {
		return s.refused(response)
	}
	watched := newWatch(response.Body, cancel)
	defer watched.stop()
	files, err := decode(watched, fn)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	var stopped *stopped
	if err != nil && !errors.As(err, &stopped) {
		return fmt.Errorf("the answer of %s after %d files: %w", redact.URLs(s.url), files, err)
	}
	return err
}

// send sends a request until an answer begins that is worth reading.
func (s *Source) send(ctx context.Context, body []byte) (*http.Response, error) {
	var last error
	for attempt := range attempts {
		if attempt > 0 {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(s.pause << (attempt - 1)):
			}
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json")
		response, err := s.client.Do(req)
		switch {
		case ctx.Err() != nil:
			if err == nil {
				response.Body.Close()
			}
			return nil, ctx.Err()
		case err != nil:
			var u *url.Error
			if errors.As(err, &u) {
				err = u.Err // the URL stands in the message already
			}
			last = fmt.Errorf("%s does not answer: %w", redact.URLs(s.url), err)
		case response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests:
			last = s.refused(response)
			response.Body.Close()
		default:
			return response, nil
		}
	}
	return nil, fmt.Errorf("%w (tried %d times)", last, attempts)
}

// message is what an answer says that holds no files.
func message(response *http.Response) string {
	text, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
	var said struct{ Error, Message string }
	if json.Unmarshal(text, &said) == nil && said.Error+said.Message != "" {
		return strings.TrimSpace(said.Error + " " + said.Message)
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind == "text/html" {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func (s *Source) refused(response *http.Response) error {
	where := redact.URLs(s.url)
	said := message(response)
	if said != "" {
		said = ": " + said
	}
	switch response.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%s wants to know who asks (%s)%s; write the user and the password into the URL, best out of the environment: \"service:https://me:${env(\"PASSWORD\")}@host/files\"", where, response.Status, said)
	}
	return fmt.Errorf("%s answers %s%s", where, response.Status, said)
}

// notFound is how a service says that nothing matched, and how any server says that there is no such page.
func (s *Source) notFound(response *http.Response) error {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	said := message(response)
	if kind == "text/html" || strings.HasPrefix(said, "404 page not found") || strings.HasPrefix(said, "Cannot POST") {
		return fmt.Errorf("there is no index service at %s (%s); its path is mostly /files", redact.URLs(s.url), response.Status)
	}
	return nil
}

// watch ends a request that has stalled.
type watch struct {
	io.Reader
	timer *time.Timer
}

func newWatch(r io.Reader, cancel context.CancelCauseFunc) *watch {
	return &watch{r, time.AfterFunc(stallTimeout, func() { cancel(fmt.Errorf("the service sent nothing for %s", stallTimeout)) })}
}

func (w *watch) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.timer.Reset(stallTimeout)
	return n, err
}

func (w *watch) stop() { w.timer.Stop() }
