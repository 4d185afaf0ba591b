package lang

import (
	"cmp"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/lazy"
)

// The names of the engines.
const (
	EngineLocal       = "local"
	EngineTaskcluster = "taskcluster"
)

// Engines are the names of all engines.
func Engines() []string { return slices.Clone(engines.words) }

// LocalEngine configures the embedded engine.
type LocalEngine struct {
	Workers   int    // 0: as many as there are cores
	Container string // auto, docker, podman, none
}

// TaskclusterEngine configures tasks on a Taskcluster deployment.
type TaskclusterEngine struct {
	Block
	RootURL         string // empty: what the environment variable TASKCLUSTER_ROOT_URL says
	Queue           string // PROVISIONER/WORKER-TYPE
	Payload         string // docker-worker, generic-worker
	Priority        string
	Scheduler       string
	Project         string
	Deadline        time.Duration // of the whole run, from its start
	Expires         time.Duration // of tasks and their artifacts, from the start; at least Deadline
	Scopes          []string
	Routes          []string
	Tags            map[string]string
	IndexPrefix     string // where results are shared; empty: they are not
	MaxDependencies int    // of one task
	ArtifactPrefix  string // of the names of artifacts, without a slash at its end
	Mapper          *TaskclusterMapper
	Caches          map[string]string // folders that workers keep for later tasks, by the name of the cache
	S3Credentials   string            // worker, auth, or secret:NAME
	Image           string            // of stages without one, as the environment says
}

// TaskclusterMapper says where native tasks get taf-mapper from; nil: the workers have it. One of URL, Namespace and TaskID is set.
type TaskclusterMapper struct {
	URL, SHA256 string
	Namespace   string // in the index
	TaskID      string
	Artifact    string // with Namespace and TaskID
}

var taskclusterSchema = BlockSchema{Type: "engine", Name: EngineTaskcluster, Doc: "Tasks run on a Taskcluster deployment.", Args: []ArgSchema{
	{Name: "root_url", Type: TString, Default: "TASKCLUSTER_ROOT_URL", Doc: "The deployment."},
	{Name: "queue", Type: TString, Default: "TAF_QUEUE", Doc: "The task queue, PROVISIONER/WORKER-TYPE."},
	{Name: "payload", Type: TString, words: &payloads, Default: `"docker-worker"`, Doc: "What the workers of the queue take: docker-worker or generic-worker."},
	{Name: "priority", Type: TString, words: &priorities, Default: `"lowest"`, Doc: "The priority of the tasks: highest, very-high, high, medium, low, very-low, lowest."},
	{Name: "scheduler", Type: TString, Default: `"-"`, Doc: "The scheduler id of the task group."},
	{Name: "project", Type: TString, Default: `"none"`, Doc: "The project id of the tasks."},
	{Name: "deadline", Type: TDuration, Default: `"1d"`, Doc: "The longest time of a run; most deployments allow 5 days."},
	{Name: "expires", Type: TDuration, Default: `"28d"`, Doc: "How long tasks and their results are kept, at least as long as deadline."},
	{Name: "scopes", Type: TStrings, Doc: "Scopes of the tasks besides those that tafc finds out."},
	{Name: "routes", Type: TStrings, Doc: "Routes of the tasks besides those of tafc."},
	{Name: "tags", Type: TTexts, Doc: "Tags of the tasks besides those of tafc."},
	{Name: "index_prefix", Type: TString, Doc: "Where in the Taskcluster index results are shared; without it they are not."},
	{Name: "artifact_prefix", Type: TString, Default: `"public/taf"`, Doc: "How the names of results begin; what does not begin with public/ is read with a scope."},
	{Name: "mapper", Type: TTexts, Default: "workers have it", Doc: "Where native tasks get taf-mapper from: url and sha256, namespace and artifact, or task_id and artifact."},
	{Name: "caches", Type: TTexts, Doc: "Folders that workers keep for later tasks: the name of a cache, and its path."},
	{Name: "s3_credentials", Type: TString, Default: `"worker"`, Doc: "Where tasks get credentials for buckets from: worker (its own role), auth (temporary ones of Taskcluster), or secret:NAME."},
	{Name: "max_dependencies", Type: TCount, Default: "10000", Doc: "The most inputs of one task, at most 10,000; deployments before version 45 allow 100."},
}}

// What Taskcluster demands of texts.
var (
	queuePattern     = lazy.Regexp(`^[a-zA-Z0-9_-]{1,38}/[a-z]([-a-z0-9]{0,36}[a-z0-9])?$`)
	schedulerPattern = lazy.Regexp(`^[a-zA-Z0-9_-]{1,38}$`)
	projectPattern   = lazy.Regexp(`^[a-zA-Z0-9._/-]{1,500}$`)
	prefixPattern    = lazy.Regexp(`^([a-zA-Z0-9_!~*'()%-]+\.)*[a-zA-Z0-9_!~*'()%-]+$`)
	printable        = lazy.Regexp(`^[\x20-\x7e]*$`)
	sourcePattern    = lazy.Regexp(`^(https?://|ssh://|git@)\S+$`)
)

// Taskcluster's bounds, less what tafc adds itself.
const (
	mostRoutes       = 48
	mostRouteLength  = 249
	mostTagLength    = 4096
	mostPrefixLength = 100
	mostDependencies = 10_000
)

// engines reads the engine blocks and finds which one is meant.
func (l *loader) engines() {
	var names []string
	l.each("engine", func(b *block) { names = append(names, b.Name) })
	a := l.analysis
	a.Engine = EngineLocal
	switch {
	case l.options.Engine != "":
		a.Engine = l.options.Engine
	case len(names) == 1:
		a.Engine = names[0]
	}
	a.Local.Container = "auto"
	l.each("engine", func(b *block) {
		if b.Name == EngineTaskcluster {
			a.Taskcluster = l.taskcluster(b)
			return
		}
		a.Local.Workers, _ = l.count(b, "workers", 1)
		container, ok := l.word(b, "container", "lang/unknown-word")
		set(&a.Local.Container, container, ok)
	})
	if a.Engine == EngineTaskcluster && a.Taskcluster == nil && !l.broken[ref{"engine", ""}] && !l.broken[ref{"engine", EngineTaskcluster}] {
		none := &block{schema: &taskclusterSchema, Block: Block{Type: "engine", Name: EngineTaskcluster, DeclRange: l.root.DeclRange}}
		a.Taskcluster = l.taskcluster(none)
	}
	if a.Engine == EngineTaskcluster {
		a.Owner, a.Source = cmp.Or(a.Owner, l.environment("TAF_OWNER")), cmp.Or(a.Source, l.environment("TAF_SOURCE"))
	}
}

// environment is an environment variable that stands for what the file leaves out; empty when it is not set.
func (l *loader) environment(name string) string {
	if l.options.LookupEnv == nil {
		return ""
	}
	value, ok := l.options.LookupEnv(name)
	if !ok {
		return ""
	}
	return value
}

// setting is a text that is not empty, of the block or else of the environment variable TAF_NAME.
func (l *loader) setting(b *block, name string) (string, hcl.Range, bool) {
	if l.analysis.Engine == EngineTaskcluster && !b.written(name) && !b.stands(name) {
		value := l.environment(settingVariable(name))
		return value, b.DeclRange, value != ""
	}
	return l.filled(b, name)
}

func settingVariable(name string) string { return "TAF_" + strings.ToUpper(name) }

func (l *loader) taskcluster(b *block) *TaskclusterEngine {
	e := &TaskclusterEngine{
		Block: b.Block, Payload: "docker-worker", Priority: "lowest", Scheduler: "-", Project: "none",
		Deadline: 24 * time.Hour, Expires: 28 * 24 * time.Hour, MaxDependencies: mostDependencies, ArtifactPrefix: "public/taf", S3Credentials: "worker",
	}
	if s, rng, ok := l.filled(b, "root_url"); ok {
		e.RootURL = strings.TrimSuffix(s, "/")
		if u, err := url.Parse(e.RootURL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
			l.bad(b, "root_url", s, "the URL of a deployment without a path, such as \"https://tc.example.org\"", rng)
		}
	}
	if !b.written("queue") && !b.stands("queue") && l.analysis.Engine == EngineTaskcluster && l.environment("TAF_QUEUE") == "" {
		l.add(diag.Error("lang/missing-argument", "Missing argument",
			"The engine taskcluster needs to know its queue. Write in a block engine \"taskcluster\" queue = \"PROVISIONER/WORKER-TYPE\", or set the environment variable TAF_QUEUE.", b.DeclRange))
	}
	l.pattern(b, "queue", &e.Queue, queuePattern(), "PROVISIONER/WORKER-TYPE: up to 38 letters, digits, - and _, a slash, and up to 38 small letters, digits and -, beginning with a letter, such as \"proj-taf/ci\"")
	l.pattern(b, "scheduler", &e.Scheduler, schedulerPattern(), "up to 38 letters, digits, - and _")
	l.pattern(b, "project", &e.Project, projectPattern(), "up to 500 letters, digits, and . _ / -")
	l.pattern(b, "index_prefix", &e.IndexPrefix, prefixPattern(), "words with dots between, without slashes and blanks, such as \"project.taf.cache\"")
	if len(e.IndexPrefix) > mostPrefixLength {
		l.bad(b, "index_prefix", e.IndexPrefix, fmt.Sprintf("at most %d characters, so that the names of results fit behind it", mostPrefixLength), b.Range("index_prefix"))
	}
	l.wordSetting(b, "payload", &e.Payload)
	l.wordSetting(b, "priority", &e.Priority)
	l.taskFiles(b, e)
	l.times(b, e)
	e.Scopes = l.scopes(b)
	e.Routes = l.routes(b)
	e.Tags, _ = l.textMap(b, "tags")
	for name, value := range e.Tags {
		if name == "" || len(value) > mostTagLength {
			l.bad(b, "tags", name, fmt.Sprintf("tags that have a name and at most %d bytes", mostTagLength), b.Range("tags"))
		}
	}
	n, ok := l.count(b, "max_dependencies", 5)
	if ok && n > mostDependencies {
		v, rng, _ := l.arg(b, "max_dependencies")
		l.outOfRange("max_dependencies", rng, fmt.Sprintf("a whole number from 5 to %d", mostDependencies), v)
		ok = false
	}
	set(&e.MaxDependencies, n, ok)
	return e
}

// times reads deadline and expires.
func (l *loader) times(b *block, e *TaskclusterEngine) {
	deadline, ok := l.duration(b, "deadline", time.Minute)
	set(&e.Deadline, deadline, ok)
	expires, given := l.duration(b, "expires", time.Minute)
	switch {
	case given && expires < e.Deadline:
		l.add(diag.Error("lang/out-of-range", "Value out of range",
			fmt.Sprintf("Tasks would expire after %s, before the deadline of %s is over. Make expires at least as long as deadline.", showDuration(expires), showDuration(e.Deadline)), b.Range("expires")))
	case given:
		e.Expires = expires
	default:
		e.Expires = max(e.Expires, e.Deadline)
	}
}

func (l *loader) scopes(b *block) []string {
	scopes, ranges, _ := l.filledList(b, "scopes")
	for i, s := range scopes {
		if !printable().MatchString(s) || strings.HasSuffix(s, "**") {
			l.bad(b, "scopes", s, "scopes of printable ASCII characters that do not end in two stars", ranges[i])
		}
	}
	return scopes
}

func (l *loader) routes(b *block) []string {
	routes, ranges, _ := l.filledList(b, "routes")
	for i, s := range routes {
		switch {
		case len(s) > mostRouteLength:
			l.bad(b, "routes", s, fmt.Sprintf("routes of at most %d characters", mostRouteLength), ranges[i])
		case slices.Index(routes, s) < i:
			l.add(diag.Error("lang/duplicate-name", "Duplicate name", fmt.Sprintf("The route %q stands twice. Remove one.", s), ranges[i]))
		}
	}
	if len(routes) > mostRoutes {
		l.add(diag.Error("lang/out-of-range", "Value out of range",
			fmt.Sprintf("A task has at most 64 routes, and tafc needs some of them. Write at most %d.", mostRoutes), b.Range("routes")))
	}
	return routes
}

// filledList is a list of texts that may be empty itself, but has no empty text.
func (l *loader) filledList(b *block, name string) ([]string, []hcl.Range, bool) {
	list, ranges, ok := l.texts(b, name)
	for i, s := range list {
		if strings.TrimSpace(s) == "" {
			l.empty(b, name, ranges[i])
			return nil, nil, false
		}
	}
	return list, ranges, ok
}

// pattern reads a text that has to look like something.
func (l *loader) pattern(b *block, name string, to *string, pattern *regexp.Regexp, want string) {
	s, rng, ok := l.setting(b, name)
	if ok && !pattern.MatchString(s) {
		l.bad(b, name, s, want, rng)
		return
	}
	set(to, s, ok)
}

func (l *loader) bad(b *block, name, value, want string, rng hcl.Range) {
	l.add(diag.Error("lang/bad-value", "Bad value",
		fmt.Sprintf("%q cannot be the value of %s. It takes %s.", value, placeWords(b, name), want), rng))
}

// placeWords says where a value stands: a setting that the block leaves out comes from the environment.
func placeWords(b *block, name string) string {
	if b.schema.Name == EngineTaskcluster && !b.written(name) {
		return "the environment variable " + settingVariable(name)
	}
	return fmt.Sprintf("%q in %s", name, blockWords(b))
}

func blockWords(b *block) string {
	if b.Type == "engine" {
		return fmt.Sprintf("engine %q", b.Name)
	}
	return "a block of type " + b.Type
}

// forTaskcluster checks what tasks on Taskcluster need of the rest of the file.
func (l *loader) forTaskcluster() {
	e := l.analysis.Taskcluster
	if l.analysis.Engine != EngineTaskcluster || e == nil {
		return
	}
	header, place := l.root.child("analysis"), e.DeclRange
	if header != nil {
		place = header.DeclRange
	}
	need := func(name, why, example string) bool {
		if header != nil && (header.written(name) || header.stands(name)) || l.environment(settingVariable(name)) != "" {
			return false
		}
		l.add(diag.Error("lang/missing-argument", "Missing argument",
			fmt.Sprintf("On Taskcluster every task says %s, so the block analysis needs %s = %q, or the environment %s.", why, name, example, settingVariable(name)), place, diag.WithRelated("the engine", e.DeclRange)))
		return true
	}
	a := l.analysis
	if !need("owner", "who answers for it", "you@example.org") && a.Owner != "" && !isAddress(a.Owner) {
		l.badHeader("owner", a.Owner, "an e-mail address, such as \"you@example.org\"", place)
	}
	if !need("source", "where it comes from", "https://example.org/analyses") && a.Source != "" && !sourcePattern().MatchString(a.Source) {
		l.badHeader("source", a.Source, "a URL that begins with https://, http://, ssh:// or git@", place)
	}
	for _, s := range a.Stages {
		if s.Image == "" && e.Payload == "docker-worker" && !l.present["image"] && e.Image == "" {
			l.add(diag.Error("lang/missing-reference", "Nothing to refer to",
				fmt.Sprintf("On Taskcluster %s runs in a container, and the file has no image. Add a block: image { name = \"REFERENCE\" }, or set the environment variable TAF_IMAGE.", s.Addr()), s.DeclRange, diag.WithRelated("the engine", e.DeclRange)))
		}
		if s.MaxRunTime > e.Deadline {
			l.add(diag.Error("lang/out-of-range", "Value out of range",
				fmt.Sprintf("An attempt at %s may take %s, but the deadline of the whole run is %s. Make deadline longer, or max_run_time shorter.", s.Addr(), s.MaxRunTime, e.Deadline), s.Range("max_run_time"),
				diag.WithRelated("the engine", e.DeclRange)))
		}
		if len(s.Sensitive) > 0 {
			l.add(diag.Error("lang/sensitive-value", "Sensitive value",
				"A task of Taskcluster can be read by others, so a sensitive value cannot be part of it. Keep it in Taskcluster's secrets and name it: secrets = { NAME = \"project/…\" }.", s.Range("env"), diag.WithRelated("the engine", e.DeclRange)))
		}
	}
}

// badHeader reports what the block analysis, or the environment in its place, says.
func (l *loader) badHeader(name, value, want string, place hcl.Range) {
	where := "the environment variable " + settingVariable(name)
	if header := l.root.child("analysis"); header != nil && header.written(name) {
		where, place = fmt.Sprintf("%q in a block of type analysis", name), header.Range(name)
	}
	l.add(diag.Error("lang/bad-value", "Bad value", fmt.Sprintf("%q cannot be the value of %s. It takes %s.", value, where, want), place))
}

// isAddress tells whether a text is an e-mail address and no more.
func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && printable().MatchString(s)
}
