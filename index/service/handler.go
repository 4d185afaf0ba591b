package service

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/document"
)

// maxRequest bounds a request, in bytes.
const maxRequest = 4 << 20

// Handler answers the protocol over any source. It is safe for concurrent use.
type Handler struct {
	Open   func(context.Context) (index.Source, error) // for each request: a source may have changed
	Layout *index.Layout                               // nil: that of the source
	// Failed is told what the client is not to know: why the source cannot be read.
	Failed func(error)
}

// asked is a request as it is read.
type asked struct {
	Filter json.RawMessage `json:"filter"`
	Tafc   extension       `json:"tafc"`
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, status, err := read(w, r)
	if err != nil {
		fail(w, status, err.Error(), nil)
		return
	}
	rows := q.Tafc.ETag
	switch shape := r.URL.Query().Get("shape"); shape {
	case "", "files":
	case "rows":
		rows = true
	default:
		fail(w, http.StatusBadRequest, fmt.Sprintf("there is no shape %q; it is files or rows", shape), nil)
		return
	}
	sel, notices, err := h.query(r.Context(), q)
	switch {
	case err != nil && asksWrong(err):
		fail(w, http.StatusBadRequest, err.Error(), nil)
	case err != nil:
		if r.Context().Err() == nil && h.Failed != nil {
			h.Failed(err)
		}
		fail(w, http.StatusInternalServerError, "the index cannot be read", nil)
	case sel == nil:
		fail(w, http.StatusBadRequest, notices[0].Detail, notices)
	default:
		answer(w, sel, rows, q.Tafc.ETag)
	}
}

// read reads a request: a body, or a parameter.
func read(w http.ResponseWriter, r *http.Request) (q *asked, status int, err error) {
	q = &asked{}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		q.Filter = json.RawMessage(r.URL.Query().Get("filter"))
	case http.MethodPost:
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			return nil, http.StatusRequestEntityTooLarge, fmt.Errorf("the request is larger than %d bytes", maxRequest)
		case err != nil:
			return nil, http.StatusBadRequest, errors.New("the request is cut off")
		}
		if err := json.Unmarshal(body, q); err != nil {
			return nil, http.StatusBadRequest, fmt.Errorf("the request is not {\"filter\": …}: %w", err)
		}
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		return nil, http.StatusMethodNotAllowed, fmt.Errorf("ask with POST and {\"filter\": …}, or with GET and ?filter=…; not with %s", r.Method)
	}
	if len(q.Filter) == 0 || string(q.Filter) == "null" {
		return nil, http.StatusBadRequest, errors.New("the request has no filter; send {\"filter\": {\"version\": 1, \"dimensions\": […]}}")
	}
	return q, 0, nil
}

// asksWrong tells whether an error is about the question.
func asksWrong(err error) bool {
	var unknown *index.UnknownDimensionError
	var noLayout *index.NoLayoutError
	var condition *index.ConditionError
	return errors.As(err, &unknown) || errors.As(err, &noLayout) || errors.As(err, &condition)
}

// query selects the files. Without a selection and an error, the notices say what is wrong with the filter.
func (h *Handler) query(ctx context.Context, q *asked) (*index.Selection, []document.Notice, error) {
	src, err := h.Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer src.Close()
	var filter index.Filter
	if !matchesAll(q.Filter) {
		f, notices := document.Parse("filter", q.Filter, h.dimensions(src))
		if f == nil {
			return nil, errorsOf(notices), nil
		}
		filter = f.Filter
		filter.AsService = !q.Tafc.SanitizeKeys
	}
	sel, err := index.Select(ctx, src, h.Layout, "", filter)
	return sel, nil, err
}

// dimensions are those of the layout when it is known before reading.
func (h *Handler) dimensions(src index.Source) []string {
	layout := h.Layout
	if layout == nil && src.Layout() != "" {
		layout, _ = index.ParseLayout(src.Layout()) // Select reports what is wrong with it
	}
	if layout == nil {
		return nil
	}
	return layout.Dimensions()
}

// matchesAll tells whether a document has no condition because it names no dimension: it asks for everything, whatever the layout.
func matchesAll(filter json.RawMessage) bool {
	var d emptiness
	return json.Unmarshal(filter, &d) == nil && d.Version != nil && d.Dimensions != nil && len(*d.Dimensions) == 0
}

type emptiness struct {
	Version    *int
	Dimensions *[]json.RawMessage
}

func errorsOf(notices []document.Notice) []document.Notice {
	var errs []document.Notice
	for _, n := range notices {
		if !n.Warning {
			errs = append(errs, n)
		}
	}
	return errs
}

// problem is a notice in an answer.
type problem struct {
	Code    string `json:"code"`
	Summary string `json:"summary"`
	Detail  string `json:"detail"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
}

func fail(w http.ResponseWriter, status int, text string, notices []document.Notice) {
	body := struct {
		Error    string    `json:"error"`
		Problems []problem `json:"problems,omitempty"`
	}{Error: text}
	for _, n := range notices {
		body.Problems = append(body.Problems, problem{n.Code, n.Summary, n.Detail, n.Line, n.Column})
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who went away gets no answer
}

// answer writes the files, one at a time.
func answer(w http.ResponseWriter, sel *index.Selection, rows, etag bool) {
	w.Header().Set("Content-Type", "application/json")
	if sel.Files.Len() == 0 {
		w.WriteHeader(http.StatusNotFound)
	}
	out := bufio.NewWriterSize(w, 1<<16)
	open, end := `{"files":[`, `],"row_count":`+strconv.Itoa(sel.Files.Len())+"}\n"
	if rows {
		open, end = "[", "]\n"
	}
	var buf []byte
	out.WriteString(open)
	for i := range sel.Files.Len() {
		buf = buf[:0]
		if i > 0 {
			buf = append(buf, ",\n"...)
		}
		name, _ := json.Marshal(strings.ToValidUTF8(sel.Files.Key(i), "\uFFFD"))
		if !rows {
			buf = append(buf, name...)
		} else {
			buf = append(append(buf, `{"file_name":`...), name...)
			if size := sel.Files.Size(i); size >= 0 {
				buf = strconv.AppendInt(append(buf, `,"file_size":`...), size, 10)
			}
			if tag := sel.Files.ETag(i); etag && tag != "" {
				text, _ := json.Marshal(tag)
				buf = append(append(buf, `,"etag":`...), text...)
			}
			buf = append(buf, '}')
		}
		if _, err := out.Write(buf); err != nil {
			return
		}
	}
	out.WriteString(end)
	_ = out.Flush()
}
