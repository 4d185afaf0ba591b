package tctest

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// method is one method of a service: what is served and what the references say.
type method struct {
	service string
	name    string
	verb    string
	route   string
	input   string // the schema of the body, below /schemas/<service>/
	output  string
	query   []string
	scopes  any // for the references only
	since   int // the release that brought it
	handler func(*call) (any, error)

	params []string
	re     *regexp.Regexp
}

var paged = []string{"continuationToken", "limit"}

// methods is the table of all that the double serves.
func methods() []*method {
	var all []*method
	for _, service := range []string{"auth", "queue", "index", "secrets", "notify", "object", "worker-manager"} {
		for _, m := range append(monitoring(), tables[service]()...) {
			m.service = service
			m.compile()
			all = append(all, m)
		}
	}
	return all
}

var tables = map[string]func() []*method{
	"auth": authMethods, "queue": queueMethods, "index": indexMethods,
	"secrets": secretMethods, "notify": notifyMethods, "object": objectMethods, "worker-manager": poolMethods,
}

func monitoring() []*method {
	return []*method{
		{name: "ping", verb: "GET", route: "/ping", handler: func(c *call) (any, error) {
			return map[string]any{"alive": true, "uptime": c.s.clock.Now().Sub(c.s.started).Seconds()}, nil
		}},
		{name: "lbheartbeat", verb: "GET", route: "/__lbheartbeat__", handler: func(*call) (any, error) { return struct{}{}, nil }},
		{name: "heartbeat", verb: "GET", route: "/__heartbeat__", handler: func(*call) (any, error) { return struct{}{}, nil }},
		{name: "version", verb: "GET", route: "/__version__", handler: func(c *call) (any, error) {
			return map[string]string{"version": c.s.release(), "commit": "", "source": "", "build": ""}, nil
		}},
	}
}

type paramPattern struct {
	text string
	re   *regexp.Regexp
}

func pattern(text string) paramPattern { return paramPattern{text, regexp.MustCompile(text)} }

// artifactNamePattern is checked in Go's terms and reported in those of the services.
var artifactName = paramPattern{`^[\x20-\x7e]+$`, regexp.MustCompile(`^[\x20-\x7e]+$`)}

var paramPatterns = map[string]paramPattern{
	"taskId":       pattern(slugPattern),
	"taskGroupId":  pattern(slugPattern),
	"runId":        pattern(`^[0-9]+$`),
	"taskQueueId":  pattern(queuePattern),
	"workerPoolId": pattern(queuePattern),
	"name":         artifactName,
	"indexPath":    pattern(namespacePattern),
	"namespace":    pattern(namespacePattern),
	"level":        pattern(`^(read-write|read-only)$`),
}

var placeholder = regexp.MustCompile(`<(\w+)>`)

// compile turns the route into a regular expression on the escaped path. A last parameter, and the id of a task queue, may contain
// slashes as they are.
func (m *method) compile() {
	text := "^"
	rest := strings.TrimPrefix(m.route, "/")
	for {
		at := placeholder.FindStringSubmatchIndex(rest)
		if at == nil {
			text += regexp.QuoteMeta(rest)
			break
		}
		name := rest[at[2]:at[3]]
		m.params = append(m.params, name)
		text += regexp.QuoteMeta(rest[:at[0]])
		rest = rest[at[1]:]
		text += paramForm(name, rest == "")
	}
	m.re = regexp.MustCompile(text + "$")
}

func paramForm(name string, last bool) string {
	switch {
	case name == "taskQueueId", name == "workerPoolId":
		return `([^/]+/[^/]+|[^/]+)`
	case name == "prefix":
		return `(.*)`
	case last && name == "name":
		return `(.+)`
	}
	return `([^/]+)`
}

func findMethod(methods []*method, verb, path string) (*method, map[string]string) {
	if verb == http.MethodHead {
		verb = http.MethodGet
	}
	for _, m := range methods {
		if m.verb != verb {
			continue
		}
		found := m.re.FindStringSubmatch(path)
		if found == nil {
			continue
		}
		params := make(map[string]string, len(m.params))
		for i, name := range m.params {
			value, err := url.PathUnescape(found[i+1])
			if err != nil {
				return nil, nil
			}
			params[name] = value
		}
		return m, params
	}
	return nil, nil
}

// allowedMethods are the verbs that a path knows, as OPTIONS tells them.
func allowedMethods(methods []*method, path string) string {
	var verbs []string
	for _, m := range methods {
		if m.re.MatchString(path) && !slices.Contains(verbs, m.verb) {
			verbs = append(verbs, m.verb)
			if m.verb == http.MethodGet {
				verbs = append(verbs, http.MethodHead)
			}
		}
	}
	slices.Sort(verbs)
	return strings.Join(verbs, ", ")
}
