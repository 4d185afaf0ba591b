package taskcluster

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tafc/tafc/taskcluster/hawk"
)

// caller makes calls: it signs, sends, tries again, and reads answers.
type caller struct {
	root        *url.URL     // where calls go
	credentials *Credentials // nil: not signed
	ext         string       // of every signature
	http        *http.Client // follows no redirect
	retry       Retry
	userAgent   string
	now         func() time.Time
}

// call is one call of a service.
type call struct {
	service string
	name    string // of the method, as the references have it
	subject string // what it is about, for errors
	method  string // of HTTP
	path    string // below /api/SERVICE/v1, escaped (pathOf)
	query   url.Values
	body    any // nil: none
	result  any // what to decode the answer into; nil: nothing
}

// pathOf joins parts of a path, each escaped as a whole: "/task/" + one part.
func pathOf(parts ...string) string {
	var b strings.Builder
	for i, part := range parts {
		if i%2 == 1 {
			part = url.PathEscape(part)
		}
		b.WriteString(part)
	}
	return b.String()
}

// answer is what came back: a success, or a redirect, which is a success of calls that lead to content.
type answer struct {
	status   int
	header   http.Header
	location string
}

// do makes a call.
func (c *caller) do(ctx context.Context, k call) (answer, error) {
	var body []byte
	if k.body != nil {
		var err error
		if text, ok := k.body.(encoded); ok {
			body = text
		} else {
			body, err = marshal(k.body)
		}
		if err == nil {
			err = CheckBody(body)
		}
		if err != nil {
			return answer{}, &BodyError{Call: k.service + "." + k.name, Subject: k.subject, Problem: err.Error()}
		}
	}
	target, err := c.target(k)
	if err != nil {
		return answer{}, err
	}
	tries := 0
	return retry(ctx, c.retry, func() (answer, error) {
		tries++
		result, err := c.try(ctx, k, target, body)
		var api *Error
		if errors.As(err, &api) {
			api.Tries = tries
		}
		return result, err
	})
}

func (c *caller) target(k call) (*url.URL, error) {
	target, err := url.Parse(c.root.String() + "/api/" + k.service + "/v1" + k.path)
	if err != nil {
		return nil, fmt.Errorf("%s.%s %s: %w", k.service, k.name, k.subject, err)
	}
	target.RawQuery = k.query.Encode()
	return target, nil
}

// try makes a call once.
func (c *caller) try(ctx context.Context, k call, target *url.URL, body []byte) (answer, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	name := k.service + "." + k.name
	request, err := http.NewRequestWithContext(ctx, k.method, target.String(), bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Accept-Encoding", "gzip")
	request.Header.Set("User-Agent", c.userAgent)
	if err := c.sign(request); err != nil {
		return answer{}, fmt.Errorf("%s: %w", name, err)
	}
	response, err := send(c.http, request, c.retry.Answer, cancel)
	if err != nil {
		return answer{}, &networkError{call: strings.TrimSpace(name + " " + k.subject), cause: err}
	}
	defer response.Body.Close()
	return c.read(k, response)
}

// send sends a request and waits for the head of the answer, for so long at most.
func send(client *http.Client, request *http.Request, wait time.Duration, cancel context.CancelFunc) (*http.Response, error) {
	timer := time.AfterFunc(wait, cancel)
	response, err := client.Do(request)
	late := !timer.Stop()
	if err == nil && !late {
		return response, nil
	}
	if err == nil {
		response.Body.Close()
	}
	if late {
		return nil, fmt.Errorf("no answer within %v", wait)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // it repeats the URL, which may be signed
	}
	return nil, err
}

// sign adds the header by which the service knows who calls. It is valid for one try.
func (c *caller) sign(request *http.Request) error {
	if c.credentials == nil {
		return nil
	}
	var nonce [9]byte
	_, _ = rand.Read(nonce[:]) // never fails
	header, err := hawk.Header(hawk.Request{
		Method: request.Method,
		URL:    request.URL,
		Time:   c.now(),
		Nonce:  base64.RawURLEncoding.EncodeToString(nonce[:]),
		Ext:    c.ext,
	}, c.credentials.ClientID, c.credentials.AccessToken)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", header)
	return nil
}

// maxErrorBody is how much of the answer of a failed call is read.
const maxErrorBody = 32 << 20

func (c *caller) read(k call, response *http.Response) (answer, error) {
	name := strings.TrimSpace(k.service + "." + k.name + " " + k.subject)
	a := answer{status: response.StatusCode, header: response.Header, location: response.Header.Get("Location")}
	body, err := decoded(response)
	if err != nil {
		return a, &networkError{call: name, cause: err}
	}
	if a.status >= 300 && (a.status >= 400 || a.location == "") {
		text, err := io.ReadAll(io.LimitReader(body, maxErrorBody))
		if err != nil {
			return a, &networkError{call: name, cause: err}
		}
		e := parseError(a.status, response.Header.Get("Content-Type"), text)
		e.Call, e.Subject = k.service+"."+k.name, k.subject
		e.retryAfter = parseRetryAfter(response.Header.Get("Retry-After"), c.now())
		return a, e
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return a, &networkError{call: name, cause: err}
	}
	if k.result == nil || a.status == http.StatusNoContent || a.status >= 300 {
		return a, nil
	}
	if err := json.Unmarshal(text, k.result); err != nil {
		return a, fmt.Errorf("%s: the answer is not what Taskcluster answers: %w", name, err)
	}
	return a, nil
}

// decoded is the body of an answer without the compression that it was sent or stored with.
func decoded(response *http.Response) (io.Reader, error) {
	if response.ContentLength == 0 || response.StatusCode == http.StatusNoContent {
		return response.Body, nil
	}
	switch encoding := strings.ToLower(response.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		return response.Body, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(response.Body)
	default:
		return nil, fmt.Errorf("the content is compressed with %q, which tafc does not read", oneLine(encoding))
	}
}
