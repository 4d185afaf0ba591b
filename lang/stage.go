package lang

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
)

// The defaults of stages that are not in a policy.
const (
	minMemory         = 64 << 20 // the process of a task takes a third of that itself
	defaultMemory     = 256 << 20
	defaultMaxRunTime = time.Hour
	defaultMaxRecord  = 64 << 20
	minRecord         = 1 << 10
	maxRecord         = 1 << 30
	defaultFanIn      = 64
)

// stages reads all maps and reduces and puts inputs before their consumers.
func (l *loader) stages() {
	base := l.policyOf(l.root, defaultPolicy())
	var all []*Stage
	for _, b := range l.root.blocks {
		if (b.Type == "map" || b.Type == "reduce") && l.scope.blocks[ref{b.Type, b.Name}] == b {
			all = append(all, l.stage(b, base))
		}
	}
	l.merges(all)
	l.topBatchDimensions(all)
	l.analysis.Stages = l.order(all)
}

func (l *loader) stage(b *block, base policy) *Stage {
	p := l.policyOf(b, base)
	s := &Stage{
		Block: b.Block, Kind: StageKind(b.Type), Batch: p.batch, Retry: p.retry, Tolerate: p.tolerate,
		Memory: defaultMemory, Cpus: 1, MaxRunTime: defaultMaxRunTime, Partitions: 1, FanIn: defaultFanIn, MaxRecord: defaultMaxRecord,
	}
	l.input(b, s)
	l.stageImage(b, s)
	l.program(b, s)
	l.records(b, s)
	l.env(b, s)
	l.secrets(b, s)
	l.resources(b, s)
	limit, ok := l.duration(b, "max_run_time", time.Second)
	set(&s.MaxRunTime, limit, ok)
	if s.Kind == Reduce {
		n, ok := l.count(b, "partitions", 1)
		set(&s.Partitions, n, ok)
		n, ok = l.count(b, "fan_in", 2)
		set(&s.FanIn, n, ok)
	}
	return s
}

// resources reads what a task may use.
func (l *loader) resources(b *block, s *Stage) {
	r := b.child("resources")
	if r == nil {
		return
	}
	memory, ok := l.size(r, "memory")
	if ok && memory < minMemory {
		v, rng, _ := l.arg(r, "memory")
		l.outOfRange("memory", rng, "at least \"64MiB\", a third of which the process of a task takes itself", v)
		ok = false
	}
	set(&s.Memory, memory, ok)
	cpus, ok := l.count(r, "cpus", 1)
	set(&s.Cpus, cpus, ok)
	s.Disk, _ = l.size(r, "disk")
}

// input finds what the stage reads.
func (l *loader) input(b *block, s *Stage) {
	kinds := []string{"map", "reduce"}
	if s.Kind == Map {
		kinds = append([]string{"filter"}, kinds...)
	}
	if s.Kind == Reduce && l.inputs(b, s) {
		return
	}
	r, rng, ok := l.reference(b, "input", kinds...)
	switch {
	case ok && r.kind == "filter":
		s.Input.Filter = r.name
	case ok:
		s.Input.Stage = stageAddr(r)
		l.noFiles(b, rng)
	case s.Kind == Map && !l.given(b, "input"):
		s.Input.Filter = l.only(b, "input", "filter")
	}
}

// inputs finds what a reduce reads when that is all stages of a block with for_each.
func (l *loader) inputs(b *block, s *Stage) bool {
	a := b.attr("input")
	if a == nil || !l.isSeveral(a.Expr) {
		return false
	}
	v, ok := l.eval(a.Expr)
	if !ok {
		return true
	}
	refs, _ := refsOf(v)
	if len(refs) > 0 && refs[0].kind == "filter" {
		return false // a wrong kind of reference
	}
	s.Input.Several = []addr.Stage{}
	for _, r := range refs {
		s.Input.Several = append(s.Input.Several, stageAddr(r))
	}
	return true
}

// noFiles refuses what says how files are read in a stage that reads results.
func (l *loader) noFiles(b *block, input hcl.Range) {
	why := "This stage reads the results of another one"
	names := []string{"format", "fields", "where"}
	for _, o := range operations {
		names = append(names, o.Name)
	}
	for _, name := range names {
		if l.given(b, name) {
			l.add(diag.Error("lang/misplaced", "Misplaced setting",
				fmt.Sprintf("%s, not files, so %s has no meaning here. Remove it.", why, name), b.Range(name), diag.WithRelated("the input", input)))
		}
	}
	if batch := b.child("batch"); batch != nil {
		l.add(diag.Error("lang/misplaced", "Misplaced setting",
			why+": it has one task for each task of that stage, so there is nothing to batch. Remove the block.", batch.DeclRange, diag.WithRelated("the input", input)))
	}
}

func (l *loader) stageImage(b *block, s *Stage) {
	r, _, ok := l.reference(b, "image", "image")
	switch {
	case ok:
		s.Image = r.name
	case !l.given(b, "image"):
		s.Image = l.only(b, "image", "image")
	}
}

// program reads what the stage runs: code, or a command.
func (l *loader) program(b *block, s *Stage) {
	code, command := l.given(b, "code"), l.given(b, "command")
	ready := slices.ContainsFunc(operations, func(o ArgSchema) bool { return l.given(b, o.Name) || b.stands(o.Name) })
	merging := s.Kind == Reduce // over an operation: that is known when all stages are
	if s.Kind == Map {
		s.Operation = l.mapOperation(b)
	}
	switch {
	case ready && (code || command):
		l.add(diag.Error("lang/code-or-command", "Code and an operation",
			"A stage runs code, or a command, or carries out an operation. Keep one of them.", b.DeclRange))
	case code && command:
		l.add(diag.Error("lang/code-or-command", "Code and command",
			"A stage runs either code or a command, not both. Remove one of them.", b.Range("command"), diag.WithRelated("the code", b.Range("code"))))
	case !code && !command && !ready && !merging:
		l.add(diag.Error("lang/code-or-command", "Nothing to run",
			"The map says nothing to run. Give it code = \"FILE\", command = \"PROGRAM\" for a program that reads lines and writes lines, or an operation such as count_by = [\"info.OS\"].", b.DeclRange))
	}
	s.Code, _, _ = l.filledTexts(b, "code")
	if argv, _, ok := l.filledTexts(b, "command"); ok {
		s.Command = argv
		if v, _, _ := l.arg(b, "command"); isText(v) {
			s.Command = []string{"sh", "-c", argv[0]}
		}
	}
	s.Contract, _ = l.word(b, "contract", "lang/unknown-contract")
	if command {
		if s.Contract != "" && s.Contract != "streaming" {
			l.add(diag.Error("lang/contract-of-command", "Contract of a command",
				fmt.Sprintf("A command reads and writes lines, which is the contract \"streaming\"; %q is for functions in code. Remove the argument.", s.Contract), b.Range("contract")))
		}
		s.Contract = "streaming"
	}
	s.Entry, _, _ = l.filled(b, "entry")
	if s.Entry != "" && s.Contract == "streaming" {
		l.add(diag.Error("lang/misplaced", "Misplaced setting",
			"entry names a function of the code, but a streaming program is run as a whole. Remove it.", b.Range("entry")))
	}
}

// records reads how a map over files gets its records.
func (l *loader) records(b *block, s *Stage) {
	if s.Kind == Reduce {
		return
	}
	s.Format, _ = l.word(b, "format", "lang/unknown-format")
	s.Fields, _, _ = l.filledTexts(b, "fields")
	s.Where = l.where(b)
	if n, ok := l.size(b, "max_record"); ok {
		s.MaxRecord = n
		if n < minRecord || n > maxRecord {
			v, rng, _ := l.arg(b, "max_record")
			l.outOfRange("max_record", rng, `from "1KiB" to "1GiB"`, v)
		}
	}
	s.MaxRecordTime, _ = l.duration(b, "max_record_time", 10*time.Millisecond)
	if f := l.filterNamed(s.Input.Filter); f != nil && b.child("batch") != nil && b.child("batch").written("group_by") {
		l.groupBy(b.child("batch"), s.Batch.GroupBy, f.Index)
	}
}

func (l *loader) filterNamed(name string) *Filter {
	for _, f := range l.analysis.Filters {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// topBatchDimensions checks the group_by of the top level for every index that it is used with.
func (l *loader) topBatchDimensions(all []*Stage) {
	b := l.root.child("batch")
	if b == nil || !b.written("group_by") {
		return
	}
	var seen []string
	for _, s := range all {
		f := l.filterNamed(s.Input.Filter)
		if _, own := s.Args["batch.group_by"]; own || f == nil || slices.Contains(seen, f.Index) {
			continue
		}
		seen = append(seen, f.Index)
		l.groupBy(b, s.Batch.GroupBy, f.Index)
	}
}

func (l *loader) groupBy(b *block, dims []string, index string) {
	ranges := elementRanges(b.attr("group_by").Expr, len(dims))
	for i, d := range dims {
		l.dimension(d, index, ranges[i])
	}
}

// order puts inputs before their consumers, otherwise keeps the order of the file. A cycle is reported once.
func (l *loader) order(all []*Stage) []*Stage {
	byAddr := map[addr.Stage]*Stage{}
	for _, s := range all {
		byAddr[s.Addr()] = s
	}
	state := map[*Stage]valueState{}
	var out, chain []*Stage // chain: from a consumer to its inputs
	var visit func(s *Stage)
	visit = func(s *Stage) {
		switch {
		case s == nil || state[s] == evaluated:
			return
		case state[s] == evaluating:
			l.stageCycle(chain[slices.Index(chain, s):])
			return
		}
		state[s] = evaluating
		chain = append(chain, s)
		for _, in := range s.Input.Stages() {
			visit(byAddr[in])
		}
		chain = chain[:len(chain)-1]
		state[s] = evaluated
		out = append(out, s)
	}
	for _, s := range all {
		visit(s)
	}
	return out
}

func (l *loader) stageCycle(members []*Stage) {
	first := 0
	for i, m := range members {
		if m.DeclRange.Start.Byte < members[first].DeclRange.Start.Byte {
			first = i
		}
	}
	members = append(slices.Clone(members[first:]), members[:first]...)
	var names []string
	var places []hcl.Range
	for _, m := range members {
		names = append(names, m.Addr().String())
		places = append(places, m.Range("input"))
	}
	l.cycle("stages", names, places)
}

// outputs reads all outputs.
func (l *loader) outputs() {
	files := map[string]*Output{}
	l.each("output", func(b *block) {
		o := &Output{Block: b.Block, Format: "text", Sort: "key"}
		if r, _, ok := l.reference(b, "value", "map", "reduce"); ok {
			o.Value = stageAddr(r)
			l.wantsPartial(o)
		}
		format, ok := l.word(b, "format", "lang/unknown-format")
		set(&o.Format, format, ok)
		sort, ok := l.word(b, "sort", "lang/unknown-word")
		set(&o.Sort, sort, ok)
		o.Top, _ = l.count(b, "top", 1)
		if to, rng, ok := l.filled(b, "to"); ok {
			o.To = to
			file := b.Name + "." + strings.Replace(o.Format, "text", "txt", 1)
			bucket, key, _ := strings.Cut(strings.TrimPrefix(to, "s3://"), "/")
			if scheme, _, remote := strings.Cut(to, "://"); remote && scheme != "s3" {
				l.notBuilt(fmt.Sprintf("An output to %s://", scheme), rng)
			} else if remote && (bucket == "" || key == "" || strings.HasSuffix(key, "/")) {
				l.bad(b, "to", to, fmt.Sprintf("an object of a bucket, such as \"s3://BUCKET/%s\"", file), rng)
			} else if strings.HasSuffix(to, "/") {
				l.bad(b, "to", to, fmt.Sprintf("the path of a file, such as %q", to+file), rng)
			} else if prior := files[path.Clean(to)]; prior != nil {
				l.add(diag.Error("lang/same-output-file", "Two outputs to one file",
					fmt.Sprintf("The output %q is written to %q too, so one would overwrite the other. Give each its own file.", prior.Name, to),
					rng, diag.WithRelated("the other output", prior.Range("to"))))
			} else {
				files[path.Clean(to)] = o
			}
		}
		l.analysis.Outputs = append(l.analysis.Outputs, o)
	})
}
