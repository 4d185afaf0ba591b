package view

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/plan"
)

// planLines is the most that a plan prints, for any number of tasks.
const planLines = 40

// expandUpTo is how many tasks of one kind are listed one by one.
const expandUpTo = 4

// The column of names is as wide as the longest name, within these bounds.
const leastName, mostName = 20, 48

// Plan prints what would run and why.
func Plan(w io.Writer, p *plan.Plan, style Style) {
	v := planView{style: style, name: leastName}
	stages := p.Stages()
	for _, s := range stages {
		v.name = max(v.name, min(len(s.Addr.String()), mostName))
	}
	v.head(p)
	foot := v.foot(p)
	v.stages(stages, planLines-len(v.lines)-len(foot))
	for _, line := range append(v.lines, foot...) {
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

type planView struct {
	style Style
	lines []string
	name  int // width of the column of names
}

func (v *planView) line(format string, args ...any) {
	v.lines = append(v.lines, fmt.Sprintf(format, args...))
}

// head says what the filters select. Analyses with many filters show the first ones.
func (v *planView) head(p *plan.Plan) {
	v.line("%s on the %s engine", v.style.Bold(p.Analysis), p.Engine)
	const most = 5
	for i, s := range p.Graph.Sources {
		if i == most && len(p.Graph.Sources) > most+1 {
			v.line("… and %s", count(len(p.Graph.Sources)-most, "more filter"))
			break
		}
		v.source(s, len(p.Graph.Sources) > 1)
	}
	v.line("")
}

func (v *planView) source(s compile.Source, named bool) {
	name := "index " + s.Index
	if named {
		name += ", filter " + s.Filter
	}
	v.line("%s: %s, %s match (%s)", name, total(s.Total, s.Unlisted), number(s.Matched), bytes(s.Bytes))
	if funnel := funnelText(s); funnel != "" {
		v.line("  %s", v.style.Dim(clip(funnel, 150)))
	}
	if len(s.Dates) > 0 {
		v.line("  %s", v.style.Dim(clip(strings.Join(s.Dates, " · "), 150)))
	}
	if s.Unparsed > 0 {
		sample := ""
		if len(s.Sample) > 0 {
			sample = ", such as " + tail(s.Sample[0], 60)
		}
		v.line("  %s", v.style.Yellow(count(s.Unparsed, "key")+" outside the layout "+s.Layout+sample))
	}
}

// funnelText says how many files each condition left: reason 13,506 → 9,870 · appName → 8,113.
func funnelText(s compile.Source) string {
	var parts []string
	for i, line := range funnelLines(s.Total-s.Unparsed, s.Unlisted, s.Funnel) {
		from := ""
		if i == 0 {
			from = line.from + " "
		}
		parts = append(parts, fmt.Sprintf("%s %s→ %s", line.dimension, from, line.to))
	}
	return strings.Join(parts, " · ")
}

func (v *planView) foot(p *plan.Plan) []string {
	s := p.Summary
	if p.Empty() {
		return []string{"", v.style.Bold("Nothing to do: ") + count(s.Reuse, "task") + " reused."}
	}
	run := fmt.Sprintf("%s to run", number(s.Run))
	if s.Bytes > 0 {
		run += " (" + bytes(s.Bytes) + ")"
	}
	return []string{"", fmt.Sprintf("%s %s, %s reused, %s dropped.  `tafc why ADDRESS` tells more.",
		v.style.Bold("Plan:"), run, number(s.Reuse), number(s.Drop))}
}

// group is the changes of a stage that have the same action and reasons.
type group struct {
	action  plan.Action
	again   bool
	reasons string
	changes []plan.Change
	expand  bool // list every task
}

// stages prints every stage within a budget of lines: first as much detail as fits, then less.
func (v *planView) stages(stages []*plan.StageChanges, budget int) {
	blocks := make([][]*group, len(stages))
	need := 0
	for i, s := range stages {
		blocks[i] = groups(s.Changes, true)
		need += 1 + len(blocks[i])
	}
	if need > budget {
		need = 0
		for i, s := range stages {
			blocks[i] = groups(s.Changes, false)
			need += 1 + len(blocks[i])
		}
	}
	if need > budget {
		v.oneLiners(stages, budget)
		return
	}
	v.expand(blocks, budget-need)
	for i, s := range stages {
		v.line("  %s %s", v.style.Bold(pad(s.Addr.String(), v.name)), count(s.Run+s.Reuse, "task"))
		for _, g := range blocks[i] {
			v.group(g)
		}
	}
}

// expand decides which groups are listed task by task with the lines that are left, and how wide their names are.
func (v *planView) expand(blocks [][]*group, spare int) {
	for _, g := range slices.Concat(blocks...) {
		more := len(g.changes) - 1
		g.expand = g.action == plan.Run && len(g.changes) <= expandUpTo && more <= spare || more == 0 && g.action != plan.Reuse
		if !g.expand {
			continue
		}
		spare -= more
		for _, c := range g.changes {
			v.name = max(v.name, min(len([]rune(c.Addr.Short())), mostName))
		}
	}
}

// oneLiners is for analyses with very many stages.
func (v *planView) oneLiners(stages []*plan.StageChanges, budget int) {
	for i, s := range stages {
		if i == budget-1 && len(stages) > budget {
			v.line("  … and %s", count(len(stages)-i, "more stage"))
			return
		}
		v.line("  %s %s: %s to run%s, %s reused, %s dropped", pad(s.Addr.String(), v.name), count(s.Run+s.Reuse, "task"),
			number(s.Run), runReasons(s.Changes), number(s.Reuse), number(s.Drop))
	}
}

// runReasons are the reasons of all tasks that run, in brackets.
func runReasons(changes []plan.Change) string {
	var codes []string
	for _, c := range changes {
		for _, code := range c.ReasonCodes() {
			if c.Action == plan.Run && !slices.Contains(codes, code) {
				codes = append(codes, code)
			}
		}
	}
	if len(codes) == 0 {
		return ""
	}
	return " (" + clip(strings.Join(codes, ", "), 60) + ")"
}

// groups sorts changes into groups in the order new, again, reused, dropped, the largest first.
func groups(changes []plan.Change, byReason bool) []*group {
	var order []*group
	known := map[string]*group{}
	for _, c := range changes {
		reasons := ""
		if byReason {
			reasons = strings.Join(c.ReasonCodes(), ", ")
		}
		id := fmt.Sprint(c.Action, c.Again, reasons)
		g := known[id]
		if g == nil {
			g = &group{action: c.Action, again: c.Again, reasons: reasons}
			known[id] = g
			order = append(order, g)
		}
		g.changes = append(g.changes, c)
	}
	slices.SortStableFunc(order, func(a, b *group) int {
		if ra, rb := a.rank(), b.rank(); ra != rb {
			return ra - rb
		}
		return len(b.changes) - len(a.changes)
	})
	return order
}

func (g *group) rank() int {
	switch {
	case g.action == plan.Run && !g.again:
		return 0
	case g.action == plan.Run:
		return 1
	case g.action == plan.Reuse:
		return 2
	}
	return 3
}

func (v *planView) group(g *group) {
	if g.expand {
		for _, c := range g.changes {
			v.change(c)
		}
		return
	}
	n := number(len(g.changes))
	words := v.name + len(" runs again ") + 1 // what they are about stands below one another, as in change
	files, size := 0, int64(0)
	for _, c := range g.changes {
		if c.Task != nil {
			files += c.Task.Files.Len()
			size += c.Task.Bytes
		}
	}
	switch g.rank() {
	case 0:
		v.line("    %s %s %s", v.style.Green("+"), pad(n+" new", words), joined(newReasons(g.reasons), amount(files, size)))
	case 1:
		v.line("    %s %s %s", v.style.Yellow("~"), pad(n+" run again", words), joined(clip(g.reasons, 70), amount(files, size)))
	case 2:
		v.line("    %s", v.style.Dim("= "+n+" reused"))
	default:
		v.line("    %s %s %s", v.style.Red("-"), pad(n+" dropped", words), g.reasons)
	}
}

// newReasons are the reasons of a new task, but for "new" itself.
func newReasons(reasons string) string {
	if reasons == "new" {
		return ""
	}
	return clip(reasons, 70)
}

func amount(files int, size int64) string {
	if files == 0 {
		return ""
	}
	return count(files, "file") + "   " + bytes(size)
}

// joined puts texts side by side, leaving out the empty ones.
func joined(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), "   ")
}

func (v *planView) change(c plan.Change) {
	name := pad(c.Addr.Short(), v.name)
	switch {
	case c.Action == plan.Drop:
		v.line("    %s %s dropped      %s", v.style.Red("-"), name, ReasonText(c.Reasons))
	case c.Again:
		v.line("    %s %s runs again   %s", v.style.Yellow("~"), name, ReasonText(c.Reasons))
	default:
		rest := joined(newReasons(ReasonText(c.Reasons)), amount(c.Task.Files.Len(), c.Task.Bytes))
		v.line("    %s %s new          %s", v.style.Green("+"), name, rest)
	}
}

// ReasonText is the reasons of one task in a line: "file changed: …/x.lzma, upstream reruns: map.by_os (2)".
func ReasonText(reasons []plan.Reason) string {
	var order []string
	about := map[string][]string{}
	for _, r := range reasons {
		if _, ok := about[r.Code]; !ok {
			order = append(order, r.Code)
			about[r.Code] = nil
		}
		if r.Detail != "" {
			about[r.Code] = append(about[r.Code], r.Detail)
		}
	}
	parts := make([]string, len(order))
	for i, code := range order {
		switch details := about[code]; {
		case len(details) == 0:
			parts[i] = code
		case len(details) == 1:
			parts[i] = code + ": " + tail(details[0], 60)
		default:
			parts[i] = fmt.Sprintf("%s: %s and %s", code, tail(details[0], 60), count(len(details)-1, "other"))
		}
	}
	return strings.Join(parts, ", ")
}
