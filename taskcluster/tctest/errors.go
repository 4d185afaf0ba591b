package tctest

import (
	"crypto/rand"
	"fmt"
	"net/http"
)

// apiError is an error as the services answer it.
type apiError struct{ code, message string }

func (e *apiError) Error() string { return e.code + ": " + e.message }

func fail(code, format string, args ...any) *apiError {
	return &apiError{code: code, message: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) *apiError { return fail("ResourceNotFound", format, args...) }
func conflict(format string, args ...any) *apiError { return fail("RequestConflict", format, args...) }
func badInput(format string, args ...any) *apiError { return fail("InputError", format, args...) }

// internal is the answer to what the service did not foresee.
func internal(format string, args ...any) *apiError {
	return fail("InternalServerError", "Internal Server Error, incidentId %s. Error (not shown in production):\n```\n%s\n```",
		uuid(), fmt.Sprintf(format, args...))
}

var statusOf = map[string]int{
	"MalformedPayload":        http.StatusBadRequest,
	"InvalidRequestArguments": http.StatusBadRequest,
	"InputValidationError":    http.StatusBadRequest,
	"InputError":              http.StatusBadRequest,
	"AuthenticationFailed":    http.StatusUnauthorized,
	"InsufficientScopes":      http.StatusForbidden,
	"ResourceNotFound":        http.StatusNotFound,
	"RequestConflict":         http.StatusConflict,
	"ResourceExpired":         http.StatusGone,
	"InputTooLarge":           http.StatusRequestEntityTooLarge,
	"InternalServerError":     http.StatusInternalServerError,
}

// requestInfo echoes the request, its body included: clients must keep it out of their messages.
type requestInfo struct {
	Method  string            `json:"method"`
	Params  map[string]string `json:"params"`
	Payload any               `json:"payload"`
	Time    string            `json:"time"`
}

type errorBody struct {
	Code        string      `json:"code"`
	Message     string      `json:"message"`
	RequestInfo requestInfo `json:"requestInfo"`
}

func (c *call) errorBody(e *apiError) errorBody {
	at := stamp(c.s.clock.Now())
	info := requestInfo{Method: c.m.name, Params: c.params, Payload: map[string]any{}, Time: at}
	if c.echo != nil {
		info.Payload = c.echo
	}
	if _, has := c.body["secret"]; has && c.m.service == "secrets" { // which does not repeat secrets
		c.body["secret"] = "(OMITTED)"
	}
	return errorBody{
		Code: e.code,
		Message: fmt.Sprintf("%s\n\n---\n\n* method:     %s\n* errorCode:  %s\n* statusCode: %d\n* time:       %s",
			e.message, c.m.name, e.code, statusOf[e.code], at),
		RequestInfo: info,
	}
}

func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
