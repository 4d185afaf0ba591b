package taskcluster_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tafc/tafc/engine"
	tc "github.com/tafc/tafc/engine/taskcluster"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/scope"
	"github.com/tafc/tafc/taskcluster/tctest"
)

// as is an engine in somebody's name.
func as(t *testing.T, s *tctest.Server, db *state.DB, set *tc.Settings, who tctest.Credentials) *tc.Engine {
	t.Helper()
	c, err := taskcluster.New(taskcluster.Config{
		RootURL: s.RootURL, Credentials: &taskcluster.Credentials{ClientID: who.ClientID, AccessToken: who.AccessToken, Certificate: who.Certificate},
		Retry: taskcluster.Retry{Initial: time.Millisecond, Max: 5 * time.Millisecond, Tries: 3},
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := tc.New(tc.Options{State: db, Client: c, Settings: set, Notice: func(text string) { t.Log(text) }, Poll: 5 * time.Millisecond, MaxPoll: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestPreflight has a deployment, or its user, that is not ready for a run: it is told in words before anything is created.
func TestPreflight(t *testing.T) {
	ahead := &tctest.Clock{}
	ahead.Advance(16 * time.Minute)
	for name, tt := range map[string]struct {
		options tctest.Options
		set     func(*tctest.Server, *tc.Settings)
		who     func(*tctest.Server) tctest.Credentials
		code    string
		says    []string
	}{
		"clock": {options: tctest.Options{AuthClock: ahead}, code: "taskcluster/clock", says: []string{"15 minutes"}},
		"credentials": {who: func(s *tctest.Server) tctest.Credentials {
			return tctest.Credentials{ClientID: s.Admin().ClientID, AccessToken: "wrong"}
		}, code: "taskcluster/credentials", says: []string{"TASKCLUSTER_ACCESS_TOKEN"}},
		"expired credentials": {who: func(s *tctest.Server) tctest.Credentials {
			return s.Temporary(s.Admin(), "static/test/past", -time.Hour, "*")
		}, code: "taskcluster/credentials", says: []string{"TASKCLUSTER_CERTIFICATE"}},
		"scopes": {set: func(_ *tctest.Server, set *tc.Settings) {
			set.Scopes, set.Routes, set.Caches = []string{"secrets:get:project/x"}, []string{"notify.pulse.x.on-completed"}, map[string]string{"pip": "/cache"}
		}, who: func(s *tctest.Server) tctest.Credentials {
			return s.Client("limited", "queue:scheduler-id:-")
		}, code: "taskcluster/missing-scopes", says: []string{
			"\n  docker-worker:cache:pip\n", "\n  queue:create-task:project:none\n", "lowest:" + queue, "lowest:built-in/succeed", "\n  queue:route:notify.pulse.x.on-completed\n",
			"\n  secrets:get:project/x\n", "queue:schedule-task",
		}},
		"priority": {set: func(_ *tctest.Server, set *tc.Settings) { set.Priority = "high" }, who: func(s *tctest.Server) tctest.Credentials {
			return s.Client("limited", "queue:create-task:project:*", "queue:scheduler-id:*", "queue:schedule-task:*", "queue:create-task:medium:*", "queue:create-task:low:*")
		}, code: "taskcluster/missing-scopes", says: []string{"queue:create-task:high:" + queue}},
		"no queue": {options: tctest.Options{Pools: []string{"proj-taf/other"}}, code: "taskcluster/no-queue", says: []string{queue, "/worker-manager"}},
		"closed reads": {options: tctest.Options{Anonymous: []string{"auth:current-scopes"}}, code: "taskcluster/closed-reads",
			says: []string{`scopes = ["queue:get-artifact:public/taf/*", "queue:get-task:*", "queue:status:*"]`}},
		"task image": {set: func(_ *tctest.Server, set *tc.Settings) {
			set.Image = "task:AAAAAAAAQ7aAAAAAAAAAAA/public/image.tar.zst"
		}, code: "taskcluster/no-artifact", says: []string{"public/image.tar.zst"}},
		"indexed image": {set: func(_ *tctest.Server, set *tc.Settings) { set.Image = "index:project.taf.image/public/image.tar.zst" }, code: "taskcluster/no-artifact", says: []string{"project.taf.image"}},
		"mapper": {set: func(_ *tctest.Server, set *tc.Settings) {
			set.Payload, set.Mapper = tc.NativePayload, &tc.Mapper{Namespace: "project.taf.mapper", Artifact: "public/taf-mapper"}
		}, code: "taskcluster/no-artifact", says: []string{"project.taf.mapper"}},
		"unreachable": {set: func(s *tctest.Server, _ *tc.Settings) { s.Close() }, code: "taskcluster/unreachable", says: []string{"root_url"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tctest.New(t, tt.options)
			set := settings(s, tc.DockerPayload)
			who := s.Admin()
			if tt.who != nil {
				who = tt.who(s)
			}
			if tt.set != nil {
				tt.set(s, set)
			}
			_, err := as(t, s, openState(t), set, who).Apply(t.Context(), fanIn("run-1", 2), nil)
			var problems *tc.ProblemsError
			if !errors.As(err, &problems) {
				t.Fatalf("%v, want %s", err, tt.code)
			}
			i := slices.IndexFunc(problems.Problems, func(p tc.Problem) bool { return p.Code == tt.code && !p.Warning })
			if i < 0 {
				t.Fatalf("%v, want %s", err, tt.code)
			}
			for _, text := range tt.says {
				if !strings.Contains(problems.Problems[i].Detail+"\n", text) {
					t.Errorf("it does not say %q:\n%s", text, problems.Problems[i].Detail)
				}
			}
			if n := len(s.Calls("createTask")); n > 0 {
				t.Errorf("%d tasks were created", n)
			}
		})
	}
}

// TestScopesThatAreAsked gives a client what preflight asks for, and no more: that is enough for a run.
func TestScopesThatAreAsked(t *testing.T) {
	s := tctest.New(t, tctest.Options{Anonymous: []string{"queue:get-artifact:public/*"}})
	set := settings(s, tc.DockerPayload)
	set.Scopes = []string{"queue:status:*", "queue:get-task:*"}
	set.IndexPrefix, set.ArtifactPrefix, set.S3Credentials = "project.taf.cache", "private/taf", "secret:project/taf/bucket"
	set.Caches, set.Priority, set.Scheduler, set.Project = map[string]string{"pip": "/cache"}, "low", "taf", "taf/analyses"
	set.Notify = []tc.Notify{{Email: []string{"you@example.org"}, On: []string{"done", "failed"}}}
	run := fanIn("run-1", 3)
	run.Tasks[0].Root = "s3://bucket/x"
	run.Tasks[0].Secrets = []engine.Secret{{Env: "TOKEN", Name: "project/taf/token"}}
	graph, found := tc.Lower(tc.Input{Run: run, Settings: set, Start: time.Now(), Deadline: time.Now().Add(set.Deadline), Expires: time.Now().Add(set.Expires)})
	if hasError(found) {
		t.Fatal(found)
	}
	// Beyond creating and starting: to look, and to read.
	reading := []string{"queue:list-artifacts:*", "queue:get-artifact:private/taf/*", "queue:status:*", "auth:current-scopes"}
	scopes := slices.Clone(reading)
	for _, need := range graph.Needed(set) {
		if len(need.AnyOf) > 0 {
			scopes = append(scopes, need.AnyOf[len(need.AnyOf)-1].Scope)
			continue
		}
		scopes = append(scopes, need.Scopes()...)
	}
	scopes = scope.Normalize(scopes)
	s.Handle(queue, played(t, nil))
	out, err := as(t, s, openState(t), set, s.Client("exact", scopes...)).Apply(t.Context(), run, nil)
	if err != nil || len(out.Failed) > 0 {
		t.Errorf("%+v, %v\nwith %s", out, err, strings.Join(scopes, "\n"))
	}
	for _, left := range scopes {
		if slices.Contains(reading, left) {
			continue
		}
		rest := slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return s == left })
		before := len(s.Calls("createTask"))
		again := fanIn("run-"+left, 3)
		again.Tasks[0].Root, again.Tasks[0].Secrets = run.Tasks[0].Root, run.Tasks[0].Secrets
		_, err := as(t, s, openState(t), set, s.Client("less", rest...)).Apply(t.Context(), again, nil)
		if err == nil || len(s.Calls("createTask")) > before {
			t.Errorf("without %s a run is not refused at once: %v", left, err)
		}
	}
}

// TestReusedResults takes a result from an earlier run that is not there any more, in each way in which it can be gone.
func TestReusedResults(t *testing.T) {
	for name, tt := range map[string]struct {
		gone func(*tctest.Server, *tc.Settings, string)
		says string
	}{
		"it is there":                {func(*tctest.Server, *tc.Settings, string) {}, ""},
		"its artifacts have expired": {func(s *tctest.Server, _ *tc.Settings, id string) { s.ExpireArtifacts(id, "public/") }, "expires at"},
		"it expires before the deadline": {func(_ *tctest.Server, set *tc.Settings, _ string) {
			set.Deadline, set.Expires = 4*24*time.Hour, 28*24*time.Hour
		}, "before the deadline of the run"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tctest.New(t, tctest.Options{})
			s.Handle(queue, played(t, func(string, int) job.Cause { return "" }))
			db := openState(t)
			set := settings(s, tc.DockerPayload)
			set.Expires = 3 * 24 * time.Hour
			first := fanIn("run-1", 2)
			if out, err := quick(t, s, db, set).Apply(t.Context(), first, nil); err != nil || len(out.Failed) > 0 {
				t.Fatal(out, err)
			}
			id := tc.TaskID("run-1", first.Tasks[0].Addr)
			later := *set
			tt.gone(s, &later, id)
			second := fanIn("run-2", 2)
			second.Tasks[0].Reused, second.Tasks[1].Reused = true, true
			total := second.Tasks[2]
			total.Key = string(make64('e'))
			total.Spec.Key = total.Key
			before := len(s.Calls("createTask"))
			_, err := quick(t, s, db, &later).Apply(t.Context(), second, nil)
			switch {
			case tt.says == "" && err != nil:
				t.Error(err)
			case tt.says != "" && (err == nil || !strings.Contains(err.Error(), "taskcluster/expired-result") || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "Plan again")):
				t.Errorf("%v, want taskcluster/expired-result that says %q", err, tt.says)
			case tt.says != "" && len(s.Calls("createTask")) > before:
				t.Error("tasks were created")
			}
		})
	}
}
