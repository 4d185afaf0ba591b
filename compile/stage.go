package compile

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/runtime/job"
)

// runtimeVersion stands for the parts of the runtime that results depend on. It changes when the same code over the same
// input would give another result.
const runtimeVersion = "1"

// recordLimit is the longest record that a stage accepts when it does not say so, in bytes.
const recordLimit = 64 << 20

func (c *compiler) newStage(s *lang.Stage, sel *index.Selection, outputs int) *Stage {
	stage := &Stage{
		Addr: s.Addr(), Kind: s.Kind, Filter: s.Input.Filter, Retry: s.Retry, Tolerate: s.Tolerate,
		Partitions: s.Partitions, Outputs: outputs, Spec: c.specTemplate(s, sel),
		Secrets: secrets(s), Cpus: s.Cpus, Disk: s.Disk, Image: c.image(s),
	}
	if sel != nil {
		stage.Root = sel.Root
		stage.Spec.S3 = c.bucket(s.Input.Filter, sel.Root)
	}
	if code := c.in.Code[s.Addr()]; code != nil {
		stage.Bundle = code.Bundle
	}
	for _, x := range stage.Secrets {
		stage.Spec.Secrets = append(stage.Spec.Secrets, x.Env)
	}
	stage.Components = c.components(s, stage)
	stage.Digest = digestComponents(stage.Components)
	return stage
}

// image is the image of a stage, nil when it has none.
func (c *compiler) image(s *lang.Stage) *Image {
	if x := c.in.Images[s.Image]; x != nil || s.Image == "" {
		return x
	}
	for _, x := range c.in.Analysis.Images {
		if x.Name == s.Image {
			return &Image{Ref: x.Ref}
		}
	}
	return nil
}

// bucket is how the files of a filter are reached; nil when they are in no bucket, or the analysis says nothing. It is no component of a
// key: the files are pinned, wherever they come from.
func (c *compiler) bucket(filter, root string) *job.S3 {
	if !strings.HasPrefix(root, "s3://") {
		return nil
	}
	a := c.in.Analysis
	f := slices.IndexFunc(a.Filters, func(f *lang.Filter) bool { return f.Name == filter })
	if f < 0 {
		return nil
	}
	ix := slices.IndexFunc(a.Indexes, func(ix *lang.Index) bool { return ix.Name == a.Filters[f].Index })
	if ix < 0 || a.Indexes[ix].S3 == (lang.S3{}) {
		return nil
	}
	x := job.S3(a.Indexes[ix].S3)
	return &x
}

// specTemplate is what the specs of all tasks of a stage have in common.
func (c *compiler) specTemplate(s *lang.Stage, sel *index.Selection) job.Spec {
	spec := job.Spec{
		Version: job.Version, Analysis: c.graph.Analysis,
		Command: s.Command, Env: s.Env, Fields: s.Fields,
		Tolerate: job.Tolerate{BadRecords: job.Limit(s.Tolerate.BadRecords), BadFiles: job.Limit(s.Tolerate.BadFiles)},
		Limits:   job.Limits{Memory: s.Memory, MaxRunTime: s.MaxRunTime, Record: s.MaxRecord, RecordTime: s.MaxRecordTime},
		Download: job.Download{Attempts: s.Retry.Download.Attempts, Timeout: s.Retry.Download.Timeout},
	}
	if sel != nil {
		spec.Format = format(s, sel.Layout)
		if sel.Layout != nil {
			spec.Dimensions = sel.Layout.Dimensions()
		}
	}
	if sel != nil || s.Kind == lang.Reduce {
		spec.Operation = operationOf(s, spec.Format)
		spec.Where = recordConditions(s)
	}
	if code := c.in.Code[s.Addr()]; code != nil {
		spec.Code = &job.Code{
			Entry: code.Bundle.Entry, Language: code.Bundle.Language,
			Contract: code.Contract, Function: code.Function, Digest: code.Bundle.Digest(),
		}
	}
	return spec
}

// format is the record format of files: what the stage says, else what the layout says, else lines.
func format(s *lang.Stage, layout *index.Layout) string {
	if s.Format != "" {
		return s.Format
	}
	if layout != nil && layout.RecordFormat() != "" {
		return layout.RecordFormat()
	}
	return "lines"
}

// components lists everything that can change a result of the stage, apart from its inputs, and nothing else.
func (c *compiler) components(s *lang.Stage, stage *Stage) []Component {
	spec := &stage.Spec
	cs := []Component{
		{"runtime", runtimeVersion},
		{"partitions", strconv.Itoa(stage.Outputs)},
		{"tolerance", marshal(spec.Tolerate)},
	}
	add := func(name, value string) {
		if value != "" && value != "null" {
			cs = append(cs, Component{name, value})
		}
	}
	add("format", spec.Format)
	add("fields", marshal(spec.Fields))
	add("operation", marshal(spec.Operation))
	add("where", marshal(spec.Where))
	if spec.Operation != nil && spec.Operation.Kind == job.OpQuantiles {
		add("memory", strconv.FormatInt(spec.Limits.Memory, 10)) // an estimate depends on how many records are seen at once
	}
	if spec.Limits.Record != recordLimit {
		add("max_record", strconv.FormatInt(spec.Limits.Record, 10))
	}
	if spec.Limits.RecordTime > 0 {
		add("max_record_time", spec.Limits.RecordTime.String())
	}
	add("dimensions", marshal(spec.Dimensions))
	add("command", marshal(spec.Command))
	for _, name := range slices.Sorted(maps.Keys(spec.Env)) {
		cs = append(cs, Component{"env " + name, spec.Env[name]})
	}
	for _, x := range stage.Secrets {
		cs = append(cs, x.component())
	}
	if stage.Image != nil {
		add("image", stage.Image.component())
	}
	if code := spec.Code; code != nil {
		add("entry", code.Entry+" "+code.Language)
		add("contract", code.Contract)
		add("function", code.Function)
		for _, f := range stage.Bundle.Files {
			value := f.Digest
			if f.Executable {
				value += " executable"
			}
			cs = append(cs, Component{"code " + f.Path, value})
		}
	}
	slices.SortFunc(cs, func(a, b Component) int { return cmp.Compare(a.Name, b.Name) })
	return cs
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers and lists of them always marshal
	}
	return string(b)
}
