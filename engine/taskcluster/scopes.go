package taskcluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/runtime/agent"
	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/scope"
)

// How long the scopes of a task may be together, so that what it signs fits into a header (characters).
const (
	scopesWithProxy = 1000
	scopesWithout   = 2000
)

// scopes are what a task needs itself: no more than its payload and its agent ask for.
func (l *lowering) scopes(t *engine.Task, proxy bool) []string {
	scopes := slices.Clone(l.Settings.Scopes)
	kind := "docker-worker"
	if l.Settings.Payload == NativePayload {
		kind = "generic-worker"
	}
	for name := range l.Settings.Caches {
		scopes = append(scopes, kind+":cache:"+name)
	}
	for _, s := range t.Secrets {
		scopes = append(scopes, "secrets:get:"+s.Name)
	}
	if b := l.buckets(t); b != nil {
		if b.Secret != "" {
			scopes = append(scopes, "secrets:get:"+b.Secret)
		}
		for _, g := range b.Auth {
			scopes = append(scopes, "auth:aws-s3:read-only:"+g.Bucket+"/"+g.Prefix)
		}
	}
	for _, prefix := range l.read(t) {
		if !strings.HasPrefix(prefix, "public/") {
			scopes = append(scopes, "queue:get-artifact:"+prefix+"/*")
		}
	}
	scopes = scope.Normalize(scopes)
	l.budget(t, scopes, proxy)
	return scopes
}

// read are the prefixes of the artifacts that a task reads.
func (l *lowering) read(t *engine.Task) []string {
	prefixes := map[string]bool{}
	for _, u := range t.Upstream {
		prefix := l.Settings.ArtifactPrefix
		if ref, ok := l.Reused[u.Task]; ok {
			prefix = ref.Artifacts
		}
		prefixes[prefix] = true
	}
	return slices.Sorted(maps.Keys(prefixes))
}

// budget warns of scopes that a running task could not use for their length.
func (l *lowering) budget(t *engine.Task, scopes []string, proxy bool) {
	most := scopesWithout
	if proxy {
		most = scopesWithProxy
	}
	if n := len(strings.Join(scopes, "")); n > most {
		l.report(func(ps *problems) {
			ps.warn("taskcluster/many-scopes", "Scopes that may not fit into a header",
				"The scopes of the tasks of %s have %d characters together, and beyond about %d the credentials of a running task do not fit into a header: it would get 401. "+
					"Put them into a role, and write scopes = [\"assume:ROLE\"].", t.Addr.Stage, n, most)
		})
	}
}

// buckets says where a task gets credentials for its files; nil when it needs none, or the worker has them.
func (l *lowering) buckets(t *engine.Task) *agent.Buckets {
	if !strings.HasPrefix(t.Root, "s3://") || t.Spec.S3 != nil && t.Spec.S3.Anonymous {
		return nil
	}
	if name, ok := strings.CutPrefix(l.Settings.S3Credentials, "secret:"); ok {
		return &agent.Buckets{Secret: name}
	}
	if l.Settings.S3Credentials != "auth" {
		return nil
	}
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(t.Root, "s3://"), "/")
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return &agent.Buckets{Auth: []agent.Grant{{Bucket: bucket, Prefix: prefix}}}
}

// Needed are the scopes that creating, watching and cancelling a graph takes: what preflight asks for.
func (g *Graph) Needed(s *Settings) []scope.Expression {
	var out []scope.Expression
	seen := map[string]bool{}
	add := func(e scope.Expression) {
		if text := e.String(); !seen[text] {
			seen[text] = true
			out = append(out, e)
		}
	}
	one := func(format string, args ...any) { add(scope.All(fmt.Sprintf(format, args...))) }
	one("queue:create-task:project:%s", s.Project)
	one("queue:scheduler-id:%s", s.Scheduler)
	add(gateScope(s, g.GroupID))
	for _, n := range g.Nodes {
		d := n.Definition
		add(createScope(d))
		for _, sc := range d.Scopes {
			one("%s", sc)
		}
		for _, route := range d.Routes {
			one("queue:route:%s", routeScope(route, s.IndexPrefix))
		}
	}
	return out
}

// createScope is the scope to create a task in its queue: for its priority or any higher one.
func createScope(d *taskcluster.TaskDefinition) scope.Expression {
	var any []string
	for _, p := range taskcluster.Priorities {
		any = append(any, fmt.Sprintf("queue:create-task:%s:%s", p, d.TaskQueueID))
		if p == d.Priority {
			break
		}
	}
	return scope.Any(any...)
}

// gateScope is the scope to start the gate of a run.
func gateScope(s *Settings, group string) scope.Expression {
	return scope.Any("queue:schedule-task:"+s.Scheduler+"/"+group+"/"+group, "queue:schedule-task-in-project:"+s.Project)
}

// routeScope is a route as it is asked for: that of a key with a star, because there are as many keys as tasks.
func routeScope(route, prefix string) string {
	if prefix != "" && strings.HasPrefix(route, "index."+prefix+".") {
		return "index." + prefix + ".*"
	}
	return route
}
