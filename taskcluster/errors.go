package taskcluster

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tafc/tafc/taskcluster/scope"
)

// The codes of errors (Error.Code).
const (
	CodeMalformedPayload        = "MalformedPayload"
	CodeInvalidRequestArguments = "InvalidRequestArguments"
	CodeInputValidationError    = "InputValidationError"
	CodeInputError              = "InputError"
	CodeAuthenticationFailed    = "AuthenticationFailed"
	CodeInsufficientScopes      = "InsufficientScopes"
	CodeResourceNotFound        = "ResourceNotFound"
	CodeRequestConflict         = "RequestConflict"
	CodeResourceExpired         = "ResourceExpired"
	CodeInputTooLarge           = "InputTooLarge"
	CodeInternalServerError     = "InternalServerError"
)

// Error is a failure that a service, or something before it, answered.
type Error struct {
	Call       string // service and method, such as "queue.createTask"
	Subject    string // the id or name that the call was about; may be empty
	StatusCode int
	Code       string   // empty when the answer is not that of a Taskcluster service
	Message    string   // what the service says, on one line; never what was sent
	Details    []string // the single faults, when it lists some
	// Missing is what the caller would have to have; for InsufficientScopes.
	Missing scope.Expression
	// Tries is how often the call was made.
	Tries int

	retryAfter time.Duration
	reason     string // of an error artifact
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Call)
	if e.Subject != "" {
		b.WriteString(" " + e.Subject)
	}
	fmt.Fprintf(&b, ": %d", e.StatusCode)
	if e.Code != "" {
		b.WriteString(" " + e.Code)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if len(e.Details) > 0 {
		b.WriteString(" " + strings.Join(e.Details, "; "))
	}
	if !e.Missing.IsZero() {
		b.WriteString(" " + e.Missing.String())
	}
	if e.Tries > 1 {
		fmt.Fprintf(&b, " (%d tries)", e.Tries)
	}
	return b.String()
}

// ArtifactError is an artifact that could not be stored when its task ran, and has no content.
type ArtifactError struct {
	TaskID  string
	Name    string
	Reason  string // such as "file-missing-on-worker"
	Message string
}

func (e *ArtifactError) Error() string {
	return fmt.Sprintf("artifact %s of task %s was not stored: %s (%s)", e.Name, e.TaskID, e.Message, e.Reason)
}

// ErrUnsupported is what a deployment is too old for.
var ErrUnsupported = errors.New("this Taskcluster deployment is too old for that")

// HasCode says whether err is an Error with one of the codes.
func HasCode(err error, codes ...string) bool {
	var api *Error
	if !errors.As(err, &api) {
		return false
	}
	for _, code := range codes {
		if api.Code == code {
			return true
		}
	}
	return false
}

// IsNotFound says whether err is that what was asked for is not there, or no longer.
func IsNotFound(err error) bool {
	var api *Error
	return errors.As(err, &api) && (api.StatusCode == http.StatusNotFound || api.StatusCode == http.StatusGone)
}

func isUnsupported(err error) bool { return errors.Is(err, ErrUnsupported) }

// routeMissing says whether err is that the service has no such call: 404 by its router, not by a method.
func routeMissing(err error) bool {
	var api *Error
	return errors.As(err, &api) && api.StatusCode == http.StatusNotFound && api.Code == ""
}

// networkError is that a call got no answer, or not a whole one.
type networkError struct {
	call  string
	cause error
}

func (e *networkError) Error() string { return e.call + ": " + e.cause.Error() }
func (e *networkError) Unwrap() error { return e.cause }
