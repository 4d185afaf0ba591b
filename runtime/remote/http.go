package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// page is a file of a web server.
type page struct {
	url string
	key string // of the plan, for messages
}

// web is the client for all web servers. It has no time limit of its own: the reader has.
var web = sync.OnceValue(func() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true // what is stored is what was planned
	t.MaxIdleConnsPerHost = 16
	return &http.Client{Transport: t}
})

func (p *page) get(ctx context.Context, at int64, match string) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return nil, &Error{Kind: Final, Text: fmt.Sprintf("file %s: its URL makes no sense", p.key), Err: err}
	}
	req.Header.Set("User-Agent", "tafc")
	weak := strings.HasPrefix(match, "W/") // which If-Match never matches; the answer's tag is compared
	if match != "" && !weak {
		req.Header.Set("If-Match", `"`+match+`"`)
	}
	if at > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", at))
	}
	resp, err := web().Do(req)
	if err != nil {
		return nil, temporary(err, "%s", unreached(err))
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent {
		resp.Body.Close()
		return nil, p.refused(resp, match)
	}
	a := &answer{body: resp.Body, etag: entityTag(resp.Header.Get("ETag")), size: resp.ContentLength}
	if resp.StatusCode == http.StatusPartialContent {
		from, size, ok := contentRange(resp.Header.Get("Content-Range"))
		if !ok {
			resp.Body.Close()
			return nil, temporary(nil, "the server gave a part without saying which")
		}
		a.from, a.size = from, size
	}
	return a, nil
}

// entityTag takes the quotes off.
func entityTag(tag string) string {
	if rest, weak := strings.CutPrefix(tag, "W/"); weak {
		return "W/" + strings.Trim(rest, `"`)
	}
	return strings.Trim(tag, `"`)
}

// refused says what a status means.
func (p *page) refused(resp *http.Response, match string) error {
	switch code := resp.StatusCode; {
	case code == http.StatusNotFound || code == http.StatusGone:
		return &Error{Kind: Final, Text: fmt.Sprintf("file %s is missing: %s answers %s", p.key, resp.Request.URL.Host, resp.Status), Hint: hintMissing}
	case code == http.StatusPreconditionFailed:
		return changed("file %s is not the one that was planned: its entity tag is no longer %s", p.key, match)
	case code == http.StatusRequestedRangeNotSatisfiable:
		return changed("file %s is not the one that was planned: it is shorter now", p.key)
	case code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500:
		return temporary(nil, "%s answers %s", resp.Request.URL.Host, resp.Status)
	}
	return &Error{Kind: Final, Text: fmt.Sprintf("file %s is refused: %s answers %s", p.key, resp.Request.URL.Host, resp.Status),
		Hint: "tafc sends no credentials to web servers; check that the URL can be read with: curl -I " + p.url}
}

// unreached says why there was no answer, without what the HTTP client puts around it.
func unreached(err error) string {
	var request *url.Error
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "there is no host " + dns.Name
	case errors.As(err, &request):
		return request.Err.Error()
	}
	return err.Error()
}

// innermost is an error without what is around it.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
