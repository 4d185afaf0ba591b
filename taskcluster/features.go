package taskcluster

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Features are what a deployment can do, as its own references and schemas say.
type Features struct {
	methods map[string]map[string]bool // by service
	// MaxDependencies is how many dependencies a task may have.
	MaxDependencies int
}

// Has says whether a service ("queue", "index") has a method, by the name that the references give it ("statuses").
func (f *Features) Has(service, method string) bool { return f.methods[service][method] }

// Features reads what the deployment can do; once, unless it fails.
func (c *Client) Features(ctx context.Context) (*Features, error) {
	return c.features.read(ctx, c.caller.retry)
}

// featureCache reads features when they are first asked for.
type featureCache struct {
	root   *url.URL // not the proxy of a task, which has no references
	caller *caller

	mu      sync.Mutex
	known   *Features
	unknown bool // they could not be read, or are not worth it
	missing map[string]bool
}

// has says whether a service has a method, and true when nobody knows: then the call will tell.
func (f *featureCache) has(ctx context.Context, service, method string) bool {
	f.mu.Lock()
	missing, unknown := f.missing[service+"."+method], f.unknown
	f.mu.Unlock()
	if missing || unknown {
		return !missing
	}
	quick := f.caller.retry
	quick.Tries, quick.Answer = 2, min(quick.Answer, 10*time.Second)
	features, err := f.read(ctx, quick)
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.unknown = ctx.Err() == nil
		return true
	}
	return features.Has(service, method)
}

// lacks remembers that a call turned out not to be there.
func (f *featureCache) lacks(service, method string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.missing == nil {
		f.missing = map[string]bool{}
	}
	f.missing[service+"."+method] = true
}

func (f *featureCache) read(ctx context.Context, r Retry) (*Features, error) {
	f.mu.Lock()
	known := f.known
	f.mu.Unlock()
	if known != nil {
		return known, nil
	}
	features := &Features{methods: map[string]map[string]bool{}}
	for _, service := range []string{"queue", "index"} {
		var reference struct {
			Entries []struct{ Name string }
		}
		if err := f.get(ctx, r, "/references/"+service+"/v1/api.json", &reference); err != nil {
			return nil, err
		}
		features.methods[service] = map[string]bool{}
		for _, entry := range reference.Entries {
			features.methods[service][entry.Name] = true
		}
	}
	var schema struct {
		Properties struct {
			Dependencies struct{ MaxItems int }
		}
	}
	if err := f.get(ctx, r, "/schemas/queue/v1/task.json", &schema); err != nil {
		return nil, err
	}
	features.MaxDependencies = schema.Properties.Dependencies.MaxItems
	if !features.Has("queue", "createTask") || features.MaxDependencies == 0 {
		return nil, fmt.Errorf("the references at %s are not those of a Taskcluster deployment", f.root)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known = features
	return features, nil
}

// get reads a public document of the deployment.
func (f *featureCache) get(ctx context.Context, r Retry, path string, result any) error {
	_, err := retry(ctx, r, func() (struct{}, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.root.String()+path, nil)
		if err != nil {
			return struct{}{}, err
		}
		request.Header.Set("User-Agent", f.caller.userAgent)
		response, err := send(f.caller.http, request, r.Answer, cancel)
		if err != nil {
			return struct{}{}, &networkError{call: path, cause: err}
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			return struct{}{}, &networkError{call: path, cause: err}
		}
		if response.StatusCode != http.StatusOK {
			e := parseError(response.StatusCode, response.Header.Get("Content-Type"), text)
			e.Call = "GET " + path
			return struct{}{}, e
		}
		if err := json.Unmarshal(text, result); err != nil {
			return struct{}{}, fmt.Errorf("GET %s: not a document of Taskcluster: %w", path, err)
		}
		return struct{}{}, nil
	})
	return err
}
