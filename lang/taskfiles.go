package lang

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/lazy"
)

// This file is what the engine taskcluster says of the files of a task: its program, its results, its caches.

var (
	taskIDPattern = lazy.Regexp(`^[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$`)
	sha256Pattern = lazy.Regexp(`^[0-9a-f]{64}$`)
	s3Pattern     = lazy.Regexp(`^(worker|auth|secret:[\x21-\x7e]{1,500})$`)
	cachePattern  = lazy.Regexp(`^[a-zA-Z0-9_-][a-zA-Z0-9_.-]{0,99}$`)
)

// wordSetting reads one of the words of the schema, of the block or of the environment.
func (l *loader) wordSetting(b *block, name string, to *string) {
	if b.written(name) || b.stands(name) {
		s, ok := l.word(b, name, "lang/unknown-word")
		set(to, s, ok)
		return
	}
	s, rng, ok := l.setting(b, name)
	if words := b.schema.arg(name).words.words; ok && !slices.Contains(words, s) {
		l.bad(b, name, s, list(quoted(words), "or"), rng)
		ok = false
	}
	set(to, s, ok)
}

// taskFiles reads artifact_prefix, mapper, caches and s3_credentials.
func (l *loader) taskFiles(b *block, e *TaskclusterEngine) {
	if s, rng, ok := l.setting(b, "artifact_prefix"); ok {
		s = strings.TrimSuffix(s, "/")
		if !printable().MatchString(s) || path.Clean(s) != s || strings.HasPrefix(s, "/") || strings.HasPrefix(s, ".") || len(s) > 200 {
			l.bad(b, "artifact_prefix", s, "up to 200 printable ASCII characters, names with slashes between, such as \"public/taf\" or \"private/taf\"", rng)
		} else {
			e.ArtifactPrefix = s
		}
	}
	l.pattern(b, "s3_credentials", &e.S3Credentials, s3Pattern(), "worker, auth, or secret:NAME with the name of a secret")
	e.Mapper = l.mapper(b)
	e.Caches, _ = l.textMap(b, "caches")
	for _, name := range slices.Sorted(maps.Keys(e.Caches)) {
		if !cachePattern().MatchString(name) || path.Clean(e.Caches[name]) != e.Caches[name] || e.Caches[name] == "." {
			l.bad(b, "caches", name+" = "+e.Caches[name], "names of up to 100 letters, digits, and . _ -, with clean paths, such as { pip = \"/root/.cache/pip\" }", b.Range("caches"))
		}
	}
	if l.analysis.Engine == EngineTaskcluster {
		e.Image = l.environment("TAF_IMAGE")
	}
}

// mapper reads where taf-mapper comes from. The environment has it as a text: URL#sha256=HEX, index:NAMESPACE/ARTIFACT or task:ID/ARTIFACT.
func (l *loader) mapper(b *block) *TaskclusterMapper {
	if !b.written("mapper") && !b.stands("mapper") {
		s, rng, ok := l.setting(b, "mapper")
		if !ok {
			return nil
		}
		m := parseMapper(s)
		if m.problem() != "" {
			l.bad(b, "mapper", s, "https://…#sha256=HEX, index:NAMESPACE/ARTIFACT, or task:ID/ARTIFACT", rng)
		}
		return m
	}
	said, ok := l.textMap(b, "mapper")
	if !ok {
		return nil
	}
	m := &TaskclusterMapper{}
	words := map[string]*string{"url": &m.URL, "sha256": &m.SHA256, "namespace": &m.Namespace, "task_id": &m.TaskID, "artifact": &m.Artifact}
	for _, name := range slices.Sorted(maps.Keys(said)) {
		to := words[name]
		if to == nil {
			l.unknownMapper(name, slices.Sorted(maps.Keys(words)), b.Range("mapper"))
			return m
		}
		*to = said[name]
	}
	if p := m.problem(); p != "" {
		l.add(diag.Error("lang/bad-value", "Bad value", "The argument \"mapper\" "+p+". It takes { url, sha256 }, { namespace, artifact } or { task_id, artifact }.", b.Range("mapper")))
	}
	return m
}

func (l *loader) unknownMapper(name string, words []string, rng hcl.Range) {
	l.add(diag.Error("lang/unknown-word", "Unknown word",
		fmt.Sprintf("The argument \"mapper\" knows no %q.%s Known are %s.", name, diag.DidYouMean(name, words), list(quoted(words), "and")), rng))
}

func parseMapper(s string) *TaskclusterMapper {
	if rest, ok := strings.CutPrefix(s, "index:"); ok {
		namespace, artifact, _ := strings.Cut(rest, "/")
		return &TaskclusterMapper{Namespace: namespace, Artifact: artifact}
	}
	if rest, ok := strings.CutPrefix(s, "task:"); ok {
		id, artifact, _ := strings.Cut(rest, "/")
		return &TaskclusterMapper{TaskID: id, Artifact: artifact}
	}
	url, sum, _ := strings.Cut(s, "#sha256=")
	return &TaskclusterMapper{URL: url, SHA256: sum}
}

// problem says what is wrong; empty when nothing is.
func (m *TaskclusterMapper) problem() string {
	places := 0
	for _, s := range []string{m.URL, m.Namespace, m.TaskID} {
		if s != "" {
			places++
		}
	}
	switch {
	case places != 1:
		return "does not say one place"
	case m.URL != "" && (!strings.HasPrefix(m.URL, "https://") && !strings.HasPrefix(m.URL, "http://") || !sha256Pattern().MatchString(m.SHA256)):
		return "needs a URL that begins with https:// and the SHA-256 of the file in hexadecimal"
	case m.URL != "" && m.Artifact != "" || m.URL == "" && (m.Artifact == "" || m.SHA256 != ""):
		return "says more or less than it takes"
	case m.Namespace != "" && !prefixPattern().MatchString(m.Namespace):
		return "has a namespace that the index cannot have"
	case m.TaskID != "" && !taskIDPattern().MatchString(m.TaskID):
		return "has a task_id that is none"
	}
	return ""
}
