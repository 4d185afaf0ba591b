package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/redact"
)

const (
	attempts      = 4
	firstPause    = 500 * time.Millisecond // before the second attempt; it doubles
	answerTimeout = 2 * time.Minute        // until an answer begins
	stallTimeout  = time.Minute            // without a byte of it
	sampleKeys    = 1000                   // from which the layout is found
)

// Source lists the files of an index service. It is safe for concurrent use.
type Source struct {
	name   string
	url    string
	client *http.Client
	pause  time.Duration
}

var _ index.Pruner = &Source{}

// Open makes a source of a URL. The name is how the analysis writes it, service:URL. Nothing is asked yet.
func Open(name, address string) (*Source, error) {
	name = redact.URLs(name)
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("index source %q has no URL; write service:https://HOST/files", name)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = answerTimeout
	return &Source{name: name, url: address, client: &http.Client{Transport: transport}, pause: firstPause}, nil
}

// String is the source as the analysis writes it, without a password.
func (s *Source) String() string { return s.name }

// Layout is empty: a service does not say what its keys look like.
func (s *Source) Layout() string { return "" }

// Root is empty: a service does not say where its files are.
func (s *Source) Root() string { return "" }

// Close ends idle connections.
func (s *Source) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Revision is a digest of all that the service lists.
func (s *Source) Revision(ctx context.Context) (string, error) {
	digest := index.NewDigest()
	err := s.Scan(ctx, func(f index.File) error { digest.Add(f); return nil })
	return digest.String(), err
}

// Scan calls fn for every file.
func (s *Source) Scan(ctx context.Context, fn func(index.File) error) error {
	return s.ask(ctx, request{Filter: emptyDocument, Tafc: extension{ETag: true, SanitizeKeys: true}}, fn)
}

// DetectLayout looks at the first keys.
func (s *Source) DetectLayout(ctx context.Context) (*index.Layout, error) {
	detector, keys := index.NewDetector(), 0
	enough := errors.New("enough")
	err := s.Scan(ctx, func(f index.File) error {
		detector.Add(f.Key)
		if keys++; keys == sampleKeys {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return nil, err
	}
	layout, _ := detector.Layout()
	return layout, nil
}

// ScanMatching asks for the files of the conditions that a document can say. What the service leaves out it does not count.
func (s *Source) ScanMatching(ctx context.Context, layout *index.Layout, f index.Filter, fn func(index.File) error) (index.Skipped, error) {
	document, sent := documentOf(layout, f)
	r := request{Filter: document, Tafc: extension{ETag: true, SanitizeKeys: !f.AsService}}
	return index.Skipped{Uncounted: sent}, s.ask(ctx, r, fn)
}

// filterJSON is a Filter.json.
type filterJSON struct {
	Version    int         `json:"version"`
	Dimensions []dimension `json:"dimensions"`
}

type dimension struct {
	FieldName     string `json:"field_name"`
	AllowedValues any    `json:"allowed_values"`
}

var emptyDocument = filterJSON{Version: 1, Dimensions: []dimension{}}

type request struct {
	Filter filterJSON `json:"filter"`
	Tafc   extension  `json:"tafc"`
}

type extension struct {
	ETag         bool `json:"etag"`
	SanitizeKeys bool `json:"sanitize_keys"`
}

// documentOf is what a document can say of a filter, and whether that is any condition at all.
func documentOf(layout *index.Layout, f index.Filter) (d filterJSON, conditions bool) {
	d = filterJSON{Version: 1}
	for _, name := range layout.Dimensions() {
		entry := dimension{name, "*"}
		if i := slices.IndexFunc(f.Where, func(t index.Term) bool { return t.Dimension == name }); i >= 0 {
			if allowed := allowedValues(f.Where[i]); allowed != nil {
				entry.AllowedValues, conditions = allowed, true
			}
		}
		d.Dimensions = append(d.Dimensions, entry)
	}
	return d, conditions
}

// allowedValues is a condition as a document says it, or nil when it cannot. Ranges are sent only with bounds of digits: other texts
// a service orders as its database does.
func allowedValues(t index.Term) any {
	bounds := map[string]string{}
	switch t.Op {
	case index.OpOneOf:
		if len(t.Values) == 0 {
			return nil
		}
		values := make([]string, len(t.Values))
		for i, v := range t.Values {
			values[i] = index.Sanitize(v) // as the service will; "*" in a list is refused by some
		}
		return values
	case index.OpBetween:
		bounds["min"], bounds["max"] = t.Values[0], t.Values[1]
	case index.OpAtLeast:
		bounds["min"] = t.Values[0]
	case index.OpAtMost:
		bounds["max"] = t.Values[0]
	default:
		return nil
	}
	for _, bound := range bounds {
		if bound == "" || slices.ContainsFunc([]byte(bound), func(c byte) bool { return c < '0' || c > '9' }) {
			return nil
		}
	}
	if bounds["max"] != "" && bounds["min"] > bounds["max"] {
		return nil // an error to many a service; nothing matches here
	}
	return bounds
}
