package tctest

import (
	"slices"
	"strings"
	"sync"
)

// Notification is a message that would have been sent: by a call of notify, or because of a route of a task.
type Notification struct {
	Kind   string // email, slack-channel, matrix-room, pulse
	Target string
	TaskID string         // of a route
	Event  string         // of a route: completed, failed, …
	Body   map[string]any // of a call
}

type notebook struct {
	mu   sync.Mutex
	sent []Notification
}

// Notifications are the messages so far.
func (s *Server) Notifications() []Notification {
	s.notes.mu.Lock()
	defer s.notes.mu.Unlock()
	return slices.Clone(s.notes.sent)
}

func (n *notebook) add(one Notification) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, one)
}

// transition sends what the routes of a task ask for when it enters a state. Nobody is told of what was canceled or ran out of time.
func (n *notebook) transition(t *task, state, reason string) {
	for _, route := range t.def.Routes {
		rest, ok := strings.CutPrefix(route, "notify.")
		if !ok || reason == "canceled" || reason == "deadline-exceeded" {
			continue
		}
		kind, rest, _ := strings.Cut(rest, ".")
		target, event, ok := cutLast(rest, ".on-")
		resolved := state == completed || state == failed || state == exception
		wanted := event == state || event == "any" && resolved || event == "resolved" && resolved || event == "transition" && state != "defined"
		if ok && wanted {
			n.add(Notification{Kind: kind, Target: target, TaskID: t.id, Event: state})
		}
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	at := strings.LastIndex(s, sep)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+len(sep):], true
}

func notifyMethods() []*method {
	sending := func(name, kind, field, prefix string) *method {
		return &method{name: name, verb: "POST", route: "/" + name, input: "v1/" + name + "-request.json", scopes: prefix + "<" + field + ">",
			handler: func(c *call) (any, error) {
				target := c.str(field)
				if err := c.authorize(scope(prefix, target)); err != nil {
					return nil, err
				}
				c.s.notes.add(Notification{Kind: kind, Target: target, Body: c.body})
				return struct{}{}, nil
			}}
	}
	return []*method{
		sending("email", "email", "address", "notify:email:"),
		sending("slack", "slack-channel", "channelId", "notify:slack-channel:"),
		sending("matrix", "matrix-room", "roomId", "notify:matrix-room:"),
		sending("pulse", "pulse", "routingKey", "notify:pulse:"),
	}
}
