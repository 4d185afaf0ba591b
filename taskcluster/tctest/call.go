package tctest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxBody is what the services read of a body. They answer one byte more with 500.
const maxBody = 10 << 20

// call is one call of a method.
type call struct {
	s      *Server
	m      *method
	w      http.ResponseWriter
	r      *http.Request
	params map[string]string
	query  url.Values
	raw    []byte
	body   map[string]any
	echo   any   // the body as errors repeat it
	broken error // why the body is no JSON
	who    *principal
}

// reply is an answer that is more than a body with status 200.
type reply struct {
	status int
	header map[string]string
	body   any
}

// serveAPI answers path, which is what follows /api/.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, path string) {
	service, rest, _ := strings.Cut(path, "/")
	rest, isV1 := strings.CutPrefix(rest, "v1/")
	methods, known := s.services[service]
	if !known || !isV1 {
		writeJSON(w, r, http.StatusNotFound, map[string]string{"error": "Not found"})
		return
	}
	if r.Method == http.MethodOptions {
		_, _ = io.WriteString(w, allowedMethods(methods, rest))
		return
	}
	m, params := findMethod(methods, r.Method, rest)
	name := ""
	if m != nil {
		name = m.name
	}
	c := &call{s: s, m: m, w: w, r: r, params: params}
	tooLarge := c.readBody()
	entry := Call{Service: service, Method: name, HTTPMethod: r.Method, Path: r.URL.RequestURI(), Params: params, Body: c.raw}
	fault := s.log.begin(&entry)
	counted := &statusWriter{ResponseWriter: w, mute: fault != nil && fault.LoseAnswer}
	counted.decided = func() { // before the client can know
		entry.Status = counted.status
		s.log.end(entry)
	}
	c.w = counted
	if !fault.before(c, counted) {
		return
	}
	switch {
	case m == nil:
		writeJSON(counted, r, http.StatusNotFound, map[string]string{"error": "Not found"})
	case s.options.FrontLimit > 0 && int64(len(c.raw)) > s.options.FrontLimit:
		writeHTML(counted, http.StatusRequestEntityTooLarge)
	case tooLarge:
		c.writeError(internal("PayloadTooLargeError: request entity too large"))
	default:
		c.answer()
	}
	if counted.mute {
		reset(w)
	}
}

// readBody reads what the services read, and drops what is more.
func (c *call) readBody() (tooLarge bool) {
	c.raw, _ = io.ReadAll(io.LimitReader(c.r.Body, maxBody+1))
	if len(c.raw) > maxBody {
		_, _ = io.Copy(io.Discard, c.r.Body)
		return true
	}
	return false
}

func (c *call) answer() {
	result, err := c.handle()
	var e *apiError
	switch {
	case errors.As(err, &e):
		c.writeError(e)
	case err != nil:
		c.writeError(internal("%v", err))
	default:
		c.write(result)
	}
}

// handle checks the request in the order of the services, then does what it asks for.
func (c *call) handle() (any, error) {
	c.parseBody()
	if err := c.checkParams(); err != nil {
		return nil, err
	}
	if err := c.checkQuery(); err != nil {
		return nil, err
	}
	if c.m.input != "" {
		if err := c.checkBody(); err != nil {
			return nil, err
		}
	}
	c.s.queue.settle()
	return c.m.handler(c)
}

func (c *call) checkParams() error {
	var wrong []string
	for _, name := range c.m.params {
		value := c.params[name]
		if p, ok := paramPatterns[name]; ok && !p.re.MatchString(value) {
			wrong = append(wrong, fmt.Sprintf("URL parameter '%s' given as '%s' must match regular expression: '/%s/'", name, value, p.text))
		}
	}
	if len(wrong) > 0 {
		return fail("InvalidRequestArguments", "Invalid URL patterns:\n%s", strings.Join(wrong, "\n"))
	}
	return nil
}

func (c *call) checkQuery() error {
	c.query = c.r.URL.Query()
	var names []string
	for name := range c.query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := c.query.Get(name)
		switch {
		case name == "bewit":
		case !slices.Contains(c.m.query, name):
			return fail("InvalidRequestArguments", "Query-string parameter: %s is not supported!", name)
		case name == "limit":
			if _, err := strconv.ParseUint(value, 10, 32); err != nil {
				return fail("InvalidRequestArguments", "Query-string parameter: limit with value: %s must match regular expression: '/^[0-9]+$/'", value)
			}
		}
	}
	return nil
}

// parseBody reads a body that is JSON by its type; whether there must be one is checked later.
func (c *call) parseBody() {
	if c.r.Header.Get("Content-Type") != "application/json" {
		return
	}
	if c.broken = json.Unmarshal(c.raw, &c.echo); c.broken != nil {
		c.echo = string(c.raw)
	}
	c.body, _ = c.echo.(map[string]any)
}

func (c *call) checkBody() error {
	given, ok := c.r.Header["Content-Type"]
	if !ok {
		given = []string{"null"}
	}
	if given[0] != "application/json" {
		return fail("MalformedPayload", "Payload must be JSON with content-type: application/json got content-type: %s", given[0])
	}
	if c.broken != nil {
		reason := c.broken.Error()
		if strings.Contains(reason, "unexpected end") {
			reason = "Unexpected end of JSON input"
		}
		return fail("MalformedPayload", "Failed to parse JSON: %s", reason)
	}
	path := c.m.service + "/" + c.m.input
	if errs := c.s.schemas[path].check(c.echo, "data"); len(errs) > 0 {
		return c.s.schemaError("/schemas/"+path+"#", errs)
	}
	return nil
}

// str and strs read a field of the body that the schema has checked.
func (c *call) str(name string) string { s, _ := c.body[name].(string); return s }

func (c *call) strs(name string) []string { return texts(c.body[name]) }

func texts(v any) []string {
	list, _ := v.([]any)
	all := make([]string, 0, len(list))
	for _, one := range list {
		s, _ := one.(string)
		all = append(all, s)
	}
	return all
}

func (c *call) write(result any) {
	full, ok := result.(reply)
	if !ok {
		full = reply{status: http.StatusOK, body: result}
	}
	for name, value := range full.header {
		c.w.Header().Set(name, value)
	}
	if plain, ok := full.body.(string); ok {
		c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		c.w.WriteHeader(full.status)
		_, _ = io.WriteString(c.w, plain)
		return
	}
	if full.status == http.StatusNoContent {
		c.w.WriteHeader(full.status)
		return
	}
	writeJSON(c.w, c.r, full.status, full.body)
}

func (c *call) writeError(e *apiError) {
	if e.code == "AuthenticationFailed" {
		c.w.Header().Set("WWW-Authenticate", "hawk")
	}
	writeJSON(c.w, c.r, statusOf[e.code], c.errorBody(e))
}

// compressFrom is the length from which answers are compressed for those who accept it.
const compressFrom = 1024

func writeJSON(w http.ResponseWriter, r *http.Request, status int, body any) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store no-cache must-revalidate")
	if text.Len() < compressFrom || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Length", strconv.Itoa(text.Len()))
		w.WriteHeader(status)
		_, _ = w.Write(text.Bytes())
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Vary", "Accept-Encoding")
	w.WriteHeader(status)
	z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
	_, _ = z.Write(text.Bytes())
	_ = z.Close()
}

// writeHTML answers as a reverse proxy in front of the services does.
func writeHTML(w http.ResponseWriter, status int) {
	title := fmt.Sprintf("%d %s", status, http.StatusText(status))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n</body>\r\n</html>\r\n", title, title)
}

// statusWriter remembers the status and says when it is decided; a mute one writes nothing.
type statusWriter struct {
	http.ResponseWriter
	status  int
	mute    bool
	decided func()
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		w.decided()
	}
	if !w.mute {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.mute {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}
