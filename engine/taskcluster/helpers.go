package taskcluster

import (
	"fmt"
	"slices"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/taskcluster"
)

// gate makes the task that all others wait for. It depends on itself, so that nothing starts before it is scheduled, which is done
// when all tasks are created: half a graph never runs.
func (l *lowering) gate() {
	n := &Node{ID: l.graph.GroupID, Label: "gate"}
	n.Definition = l.base(builtinSucceed, l.Run.Analysis+" "+l.Run.ID, fmt.Sprintf("The tasks of run `%s` of the analysis `%s` start when this one does, which is when all of them are created.", l.Run.ID, l.Run.Analysis))
	n.Definition.Dependencies = []string{n.ID}
	n.Definition.Tags = map[string]string{"kind": "tafc", "label": "gate", "tafc-analysis": cut(l.Run.Analysis, maxTag), "tafc-run": l.Run.ID}
	n.Definition.Extra = marshal(extra{Tafc: extraTafc{Run: l.Run.ID, Analysis: l.Run.Analysis}})
	l.graph.Gate = n
	l.graph.Nodes = append(l.graph.Nodes, n)
}

// The kinds of tasks that tell people of the end. Which one a notification is on depends on which ends it tells:
const (
	endDone   = "done"   // it completes when all results are there
	endAny    = "end"    // it completes when all last tasks are resolved, at the latest by their deadline
	endFailed = "failed" // it depends on itself: only tafc, when it sees that the run has failed, starts it
)

// ends makes the tasks that tell people of the end.
func (l *lowering) ends() {
	var last []string
	for _, t := range l.Run.Tasks {
		if n := l.graph.ByTask[t]; n != nil && !l.consumed[t] {
			last = append(last, n.ID)
		}
	}
	for _, kind := range []string{endDone, endAny, endFailed} {
		routes := l.endRoutes(kind)
		if len(routes) == 0 || len(last) == 0 {
			continue
		}
		n := &Node{ID: endID(l.Run.ID, kind), Label: kind}
		words := map[string]string{endDone: "is done", endAny: "has ended", endFailed: "has failed"}[kind]
		d := l.base(builtinSucceed, l.Run.Analysis+" "+words, "Tells those whom the analysis names that its run "+words+".")
		d.Dependencies, d.Routes = last, routes
		switch kind {
		case endAny:
			d.Requires = taskcluster.AllResolved
			d.Deadline = taskcluster.At(l.Deadline.Add(endsLater))
			// A deadline that the deployment does not allow is refused with the first task, and not with the last one.
			l.graph.Gate.Definition.Deadline = d.Deadline
		case endFailed:
			d.Dependencies = []string{n.ID}
		}
		if len(last) > l.Settings.MaxDependencies {
			l.problems.error("taskcluster/too-many-dependencies", "More dependencies than a task may have",
				"The task that tells people of the end would depend on %d last tasks, and %d are allowed. Add a reduce, or remove notify.", len(last), l.Settings.MaxDependencies)
		}
		d.Tags = map[string]string{"kind": "tafc", "label": kind, "tafc-run": l.Run.ID}
		d.Extra = marshal(extra{
			Notify: marshal(message(l.Run, l.Settings, words, l.graph.GroupID)),
			Tafc:   extraTafc{Run: l.Run.ID, Analysis: l.Run.Analysis},
		})
		n.Definition = d
		l.graph.Nodes = append(l.graph.Nodes, n)
		l.graph.Ends = append(l.graph.Ends, n)
	}
}

// endOf is the kind of task that a notification hangs on.
func endOf(n Notify) string {
	failed := slices.Contains(n.On, "failed")
	good := slices.Contains(n.On, "done") || slices.Contains(n.On, "partial")
	switch {
	case failed && good:
		return endAny
	case failed:
		return endFailed
	}
	return endDone
}

func (l *lowering) endRoutes(kind string) []string {
	var routes []string
	add := func(format string, names []string) {
		for _, name := range names {
			if r := fmt.Sprintf(format, name); !slices.Contains(routes, r) {
				routes = append(routes, r)
			}
		}
	}
	for _, n := range l.Settings.Notify {
		if endOf(n) != kind {
			continue
		}
		add("notify.email.%s.on-completed", n.Email)
		add("notify.slack-channel.%s.on-completed", n.Slack)
		add("notify.matrix-room.%s.on-completed", n.Matrix)
	}
	return routes
}

// message is what people are told.
func message(run *engine.Run, s *Settings, words, group string) any {
	subject := fmt.Sprintf("%s %s", run.Analysis, words)
	link := taskcluster.LinksTo(s.RootURL).Group(group)
	text := fmt.Sprintf("%s: run %s. %s", subject, run.ID, link)
	type href struct {
		Text string `json:"text"`
		Href string `json:"href"`
	}
	type email struct {
		Subject  string `json:"subject"`
		Content  string `json:"content"`
		Link     *href  `json:"link,omitempty"`
		Template string `json:"template"`
	}
	m := email{Subject: subject, Content: fmt.Sprintf("Run `%s` of the analysis `%s` %s.", run.ID, run.Analysis, words), Template: "simple"}
	if s.RootURL != "" {
		m.Link = &href{Text: "Tasks of the run", Href: link}
	}
	return struct {
		Email      email  `json:"email"`
		SlackText  string `json:"slackText"`
		MatrixBody string `json:"matrixBody"`
	}{m, text, text}
}
