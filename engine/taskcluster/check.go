package taskcluster

import (
	"encoding/json"
	"strings"

	"github.com/tafc/tafc/taskcluster/slugid"
)

// The size of definitions, in bytes: what the queue takes, and what some proxies in front of it do.
const (
	maxDefinition   = 10 << 20
	largeDefinition = 1_000_000
)

// maxEnv is the longest environment variable that Linux takes, with its name and the sign between.
const maxEnv = 131_071

// endsLater is how long after the deadline of a run a task that tells of its end may run.
const endsLater = 30 * 60 * 1e9

// check looks for what the queue or a worker would refuse, or silently not do.
func (l *lowering) check(n *Node) {
	d := n.Definition
	bad := func(code, summary, format string, args ...any) {
		l.problems.error(code, summary, n.Label+": "+format, args...)
	}
	if size := n.draft.Size(); size > maxDefinition {
		bad("taskcluster/too-large", "Task that does not fit into a definition", "its definition has %d bytes, and the queue takes %d", size, maxDefinition)
	} else if size > largeDefinition {
		l.problems.warn("taskcluster/large", "Large task definition",
			"The definition of %s has %d bytes. Deployments behind a proxy that bounds requests refuse it with 413; smaller batches, or a smaller fan_in, make it smaller.", n.Label, size)
	}
	if len(d.Dependencies) > l.Settings.MaxDependencies {
		bad("taskcluster/too-many-dependencies", "More dependencies than a task may have",
			"it depends on %d tasks, and %d are allowed. Give its reduce a combine, or a smaller fan_in", len(d.Dependencies), l.Settings.MaxDependencies)
	}
	if len(d.Routes) > maxRoutes {
		bad("taskcluster/bad-route", "Routes that the queue refuses", "it has %d routes, and %d are allowed", len(d.Routes), maxRoutes)
	}
	for _, r := range d.Routes {
		if len(r) > maxRoute || r == "" {
			bad("taskcluster/bad-route", "Routes that the queue refuses", "the route %q has %d characters, and at most %d are allowed", cut(r, 60), len(r), maxRoute)
		}
		if ns, ok := strings.CutPrefix(r, "index."); ok && !namespacePattern().MatchString(ns) {
			bad("taskcluster/bad-route", "Routes that the queue refuses", "the index cannot have %q, and would leave it out without a word", ns)
		}
	}
	for _, id := range append([]string{n.ID}, d.Dependencies...) {
		if !slugid.Valid(id) {
			bad("taskcluster/bad-id", "Id that is none", "%q is no id of a task", id)
		}
	}
	l.checkPayload(n, bad)
}

// checkCaches looks for folders that tasks cannot have.
func (l *lowering) checkCaches() {
	for name, path := range l.Settings.Caches {
		native := l.Settings.Payload == NativePayload
		if strings.HasPrefix(path, "/") == native {
			l.problems.error("taskcluster/bad-cache", "Cache that tasks cannot have",
				"The cache %s is at %q. In a container its path begins with a slash; with native payloads it is relative to the folder of the task.", name, path)
		}
		if literal := replaced(path); literal != "" {
			l.problems.error("taskcluster/bad-cache", "Cache that tasks cannot have",
				"The path of the cache %s has %s in it, which workers replace by something else.", name, literal)
		}
	}
}

// checkPayload looks for what a worker would refuse, or change.
func (l *lowering) checkPayload(n *Node, bad func(code, summary, format string, args ...any)) {
	if strings.Contains(string(n.Definition.Payload), `\u0000`) {
		bad("taskcluster/bad-payload", "Payload that cannot be stored", "it has a NUL character, which the queue cannot keep")
	}
	if n.Task == nil {
		return
	}
	var p struct {
		Env        map[string]string `json:"env"`
		MaxRunTime int64             `json:"maxRunTime"`
	}
	if err := json.Unmarshal(n.Definition.Payload, &p); err != nil {
		bad("taskcluster/bad-payload", "Payload that is none", "%v", err)
		return
	}
	for name, value := range p.Env {
		if len(name)+1+len(value) > maxEnv {
			bad("taskcluster/bad-payload", "Environment that is too long", "%s has %d bytes, and at most %d are possible", name, len(value), maxEnv-1-len(name))
		}
	}
	if strings.HasPrefix(n.Task.Root, "file:") && !l.Settings.LocalFiles {
		l.problems.error("taskcluster/local-files", "Files that tasks cannot read",
			"%s reads %s, which is a folder of this computer. Tasks of Taskcluster read s3: and https: files: put them into a bucket, and name it as the root of the index. "+
				"If the workers do have this folder, set TAF_LOCAL_FILES=1.", n.Task.Addr.Stage, n.Task.Root)
	}
}
