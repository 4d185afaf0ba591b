package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tafc/tafc/internal/redact"
)

// Describe writes an Analysis as text, with the defaults written out and without ranges: one line a value, equal for equal analyses.
func Describe(a *Analysis) string {
	d := &describer{}
	d.open("analysis", a.Name)
	d.text("description", a.Description)
	d.text("owner", a.Owner)
	d.text("source", a.Source)
	if a.Local.Workers > 0 {
		d.line("workers", a.Local.Workers)
	}
	if a.Local.Container != "auto" {
		d.text("container", a.Local.Container)
	}
	if a.Engine == EngineTaskcluster {
		d.line("engine", a.Engine)
	}
	for _, v := range a.Variables {
		d.open("variable", v.Name)
		d.text("description", v.Description)
		d.line("value", v.Value)
	}
	for _, x := range a.Indexes {
		d.open("index", x.Name)
		d.text("source", redact.URLs(x.Source))
		d.text("root", x.Root)
		d.text("layout", x.Layout)
		d.text("table", x.Table)
		d.textMap("columns", x.Columns)
	}
	for _, f := range a.Filters {
		d.filter(f)
	}
	for _, x := range a.Images {
		d.image(x)
	}
	for _, s := range a.Stages {
		d.stage(s)
	}
	for _, o := range a.Outputs {
		d.open("output", o.Name)
		d.line("value", o.Value)
		d.line("format", o.Format)
		if o.Sort != "key" {
			d.line("sort", o.Sort)
		}
		if o.Top > 0 {
			d.line("top", o.Top)
		}
		d.text("to", o.To)
	}
	d.taskcluster(a.Taskcluster)
	for _, n := range a.Notify {
		d.WriteString("notify\n")
		d.texts("email", n.Email)
		d.texts("slack", n.Slack)
		d.texts("matrix", n.Matrix)
		d.texts("on", n.On)
	}
	for _, t := range a.Tests {
		d.test(t)
	}
	return d.String()
}

type describer struct{ strings.Builder }

func (d *describer) open(typ, name string) { fmt.Fprintf(d, "%s %q\n", typ, name) }

func (d *describer) line(name string, value any) { fmt.Fprintf(d, "  %s %v\n", name, value) }

// text leaves out empty texts.
func (d *describer) text(name, value string) {
	if value != "" {
		d.line(name, fmt.Sprintf("%q", value))
	}
}

func (d *describer) texts(name string, values []string) {
	if values != nil {
		d.line(name, "["+strings.Join(quoted(values), ", ")+"]")
	}
}

func (d *describer) textMap(name string, m map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		d.line(name, fmt.Sprintf("%s = %q", k, m[k]))
	}
}

func (d *describer) taskcluster(e *TaskclusterEngine) {
	if e == nil {
		return
	}
	d.open("engine", e.Name)
	d.text("root_url", e.RootURL)
	d.text("queue", e.Queue)
	d.line("payload", e.Payload)
	d.line("priority", e.Priority)
	d.text("scheduler", e.Scheduler)
	d.text("project", e.Project)
	d.line("deadline", e.Deadline)
	d.line("expires", e.Expires)
	d.texts("scopes", e.Scopes)
	d.texts("routes", e.Routes)
	d.textMap("tags", e.Tags)
	d.text("index_prefix", e.IndexPrefix)
	d.line("max_dependencies", e.MaxDependencies)
	d.text("artifact_prefix", e.ArtifactPrefix)
	d.mapper(e.Mapper)
	d.textMap("cache", e.Caches)
	d.text("s3_credentials", e.S3Credentials)
	d.text("image", e.Image)
}

func (d *describer) mapper(m *TaskclusterMapper) {
	if m == nil {
		return
	}
	d.text("mapper url", m.URL)
	d.text("mapper sha256", m.SHA256)
	d.text("mapper namespace", m.Namespace)
	d.text("mapper task_id", m.TaskID)
	d.text("mapper artifact", m.Artifact)
}

func (d *describer) filter(f *Filter) {
	d.open("filter", f.Name)
	d.line("index", f.Index)
	for _, t := range f.Where {
		d.line("where", t.Meaning())
	}
	for _, t := range f.Exclude {
		d.line("exclude", t.Meaning())
	}
	d.text("document", f.Document)
	if f.Limit > 0 {
		d.line("limit", f.Limit)
	}
	if f.AllowEmpty {
		d.line("allow_empty", true)
	}
	if f.ExactKeys {
		d.line("exact_keys", true)
	}
}

func (d *describer) image(x *Image) {
	d.open("image", x.Name)
	d.text("name", x.Ref)
	if b := x.Build; b != nil {
		d.text("build.context", b.Context)
		d.text("build.dockerfile", b.Dockerfile)
		d.textMap("build.args", b.Args)
		d.text("build.target", b.Target)
	}
}

func (d *describer) stage(s *Stage) {
	d.open(string(s.Kind), s.Name)
	if s.Input.Filter != "" {
		d.line("input", "filter."+s.Input.Filter)
	}
	for _, in := range s.Input.Stages() {
		d.line("input", in)
	}
	if s.Image != "" {
		d.line("image", "image."+s.Image)
	}
	d.texts("code", s.Code)
	d.texts("command", s.Command)
	d.text("entry", s.Entry)
	d.text("contract", s.Contract)
	d.text("format", s.Format)
	d.texts("fields", s.Fields)
	if s.Operation != nil {
		d.line("operation", s.Operation)
	}
	for _, c := range s.Where {
		d.line("where", c)
	}
	d.textMap("env", s.Env)
	for _, name := range slices.Sorted(maps.Keys(s.Sensitive)) {
		d.line("env", name+" = "+hidden)
	}
	d.textMap("secrets", s.Secrets)
	if s.Input.Filter != "" {
		d.line("batch", s.Batch)
	}
	d.line("retry", s.Retry)
	d.line("tolerate", s.Tolerate)
	d.line("memory", s.Memory)
	if s.Cpus > 1 {
		d.line("cpus", s.Cpus)
	}
	if s.Disk > 0 {
		d.line("disk", s.Disk)
	}
	d.line("max_run_time", s.MaxRunTime)
	if s.MaxRecord != defaultMaxRecord {
		d.line("max_record", s.MaxRecord)
	}
	if s.MaxRecordTime > 0 {
		d.line("max_record_time", s.MaxRecordTime)
	}
	if s.Kind == Reduce {
		d.line("partitions", s.Partitions)
		d.line("fan_in", s.FanIn)
	}
}

func (d *describer) test(t *Test) {
	d.open("test", t.Name)
	d.line("stage", t.Stage)
	for _, r := range t.Records {
		d.line("record", strings.TrimSpace(r.ID+" "+r.Text))
	}
	d.texts("input", t.Files)
	for _, p := range t.Pairs {
		d.line("input", p)
	}
	d.text("file", t.File)
	d.textMap("dims", t.Dims)
	if t.Expect != nil {
		for _, line := range t.Expect.Lines {
			d.line("expect", fmt.Sprintf("%q", line))
		}
		for _, p := range t.Expect.Pairs {
			d.line("expect", p)
		}
		d.line("expected", len(t.Expect.Lines)+len(t.Expect.Pairs))
	}
	d.text("expect_error", t.ExpectError)
	if t.ExpectBad > 0 {
		d.line("expect_bad_records", t.ExpectBad)
	}
	d.line("float_tolerance", t.FloatTolerance)
	d.texts("laws", t.Laws)
}

// String is the pair as JSON.
func (p Pair) String() string {
	if p.Value == "" {
		return "[" + p.Key + "]"
	}
	return "[" + p.Key + "," + p.Value + "]"
}

// String is the term as the language writes it.
func (t Term) String() string { return t.Dimension + " = " + t.Condition.String() }

// String is the condition as the language writes it.
func (c Condition) String() string {
	if c.Text != "" {
		return c.Text
	}
	args := strings.Join(quoted(c.Values), ", ")
	if c.Op == OpOneOf {
		return "[" + args + "]"
	}
	return string(c.Op) + "(" + args + ")"
}

// String says the limits in one line.
func (b Batch) String() string {
	groups := "by date"
	if b.GroupBy != nil {
		groups = "by [" + strings.Join(b.GroupBy, ", ") + "]"
	}
	return fmt.Sprintf("%d files, %d bytes, %s", b.MaxFiles, b.MaxSize, groups)
}

// String says the policy in one line.
func (r Retry) String() string {
	return fmt.Sprintf("%d attempts on [%s], delay %s up to %s, download %d attempts of %s",
		r.Attempts, strings.Join(r.On, ", "), r.Delay, r.MaxDelay, r.Download.Attempts, r.Download.Timeout)
}

// String says what may be lost in one line.
func (t Tolerate) String() string {
	return fmt.Sprintf("%s bad records, %s bad files, %s failed tasks, coverage %g", t.BadRecords, t.BadFiles, t.FailedTasks, t.MinCoverage)
}

// String is the limit as the language writes it.
func (l Limit) String() string {
	if l.IsShare {
		return fmt.Sprintf("%g%%", l.Share*100)
	}
	return fmt.Sprint(l.Count)
}
