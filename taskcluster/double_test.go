package taskcluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/scope"
	"github.com/tafc/tafc/taskcluster/slugid"
	"github.com/tafc/tafc/taskcluster/tctest"
)

// double is a client of a double of Taskcluster, by a client id with some scopes.
func double(t *testing.T, s *tctest.Server, scopes ...string) *taskcluster.Client {
	t.Helper()
	creds := s.Admin()
	if len(scopes) > 0 {
		creds = s.Credentials(scopes...)
	}
	return with(t, s, &taskcluster.Credentials{ClientID: creds.ClientID, AccessToken: creds.AccessToken})
}

func with(t *testing.T, s *tctest.Server, creds *taskcluster.Credentials) *taskcluster.Client {
	t.Helper()
	client, err := taskcluster.New(taskcluster.Config{RootURL: s.RootURL, Credentials: creds,
		Retry: taskcluster.Retry{Initial: time.Millisecond, Tries: 5}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func definition(group string, dependencies ...string) *taskcluster.TaskDefinition {
	now := time.Now()
	return &taskcluster.TaskDefinition{TaskQueueID: "proj-taf/ci", SchedulerID: "taf", TaskGroupID: group, Dependencies: dependencies,
		Created: taskcluster.At(now), Deadline: taskcluster.At(now.Add(time.Hour)), Expires: taskcluster.At(now.Add(24 * time.Hour)),
		Payload:  json.RawMessage(`{"command": [["true"]], "maxRunTime": 60}`),
		Metadata: taskcluster.Metadata{Name: "n", Description: "d", Owner: "o@example.com", Source: "https://example.com/"}}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func create(t *testing.T, c *taskcluster.Client, d *taskcluster.TaskDefinition) string {
	t.Helper()
	id := slugid.New()
	if _, err := c.Queue.CreateTask(t.Context(), id, d); err != nil {
		t.Fatal(err)
	}
	return id
}

// The life of a small graph, on a new deployment and on an old one.
func TestDouble(t *testing.T) {
	for _, version := range []int{106, 44} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			s := tctest.New(t, tctest.Options{Version: version, PageSize: 2})
			c, ctx := double(t, s), t.Context()
			status := must[*taskcluster.Status](t)

			group := slugid.New()
			gate := definition(group, group)
			status(c.Queue.CreateTask(ctx, group, gate))
			status(c.Queue.CreateTask(ctx, group, gate)) // again
			gate.Priority = taskcluster.PriorityHigh
			if _, err := c.Queue.CreateTask(ctx, group, gate); !taskcluster.HasCode(err, taskcluster.CodeRequestConflict) {
				t.Errorf("another definition: %v", err)
			}
			var children []string
			for range 5 {
				children = append(children, create(t, c, definition(group, group)))
			}
			last := create(t, c, definition(group, children...))
			all := append([]string{group, last}, children...)

			found := must[map[string]*taskcluster.Status](t)(c.Queue.Statuses(ctx, append(all, slugid.New(), group)))
			if diff := cmp.Diff(slices.Sorted(slices.Values(all)), slices.Sorted(maps.Keys(found))); diff != "" {
				t.Error(diff)
			}
			defined := must[map[string]*taskcluster.TaskDefinition](t)(c.Queue.Tasks(ctx, all))
			if d := defined[last]; len(defined) != len(all) || !slices.Equal(d.Dependencies, children) || d.Priority != taskcluster.PriorityLowest || *d.Retries != 5 {
				t.Errorf("%d definitions; %+v", len(defined), d)
			}
			listed, err := collect(t, c.Queue.ListTaskGroup(ctx, group, 0)) // pages of two
			if err != nil || len(listed) != len(all) {
				t.Errorf("%d tasks in the group, %v", len(listed), err)
			}
			dependents, err := collect(t, c.Queue.ListDependentTasks(ctx, group, 1))
			if err != nil || len(dependents) != len(children)+1 { // the gate depends on itself
				t.Errorf("%d dependents, %v", len(dependents), err)
			}

			status(c.Queue.ScheduleTask(ctx, group))
			if err := s.Complete(group); err != nil {
				t.Fatal(err)
			}
			if counts := must[*taskcluster.TaskQueueCounts](t)(c.Queue.TaskQueueCounts(ctx, "proj-taf/ci")); counts.PendingTasks != 5 {
				t.Errorf("%+v", counts)
			}
			if err := s.Fail(children[0]); err != nil {
				t.Fatal(err)
			}
			if st := status(c.Queue.Status(ctx, children[0])); st.State != taskcluster.StateFailed || st.Runs[0].ReasonResolved != taskcluster.ReasonFailed {
				t.Errorf("%+v", st)
			}
			if st := status(c.Queue.RerunTask(ctx, children[0])); st.State != taskcluster.StatePending || len(st.Runs) != 2 {
				t.Errorf("%+v", st)
			}

			_, err = c.Queue.SealTaskGroup(ctx, group)
			if (version == 44) != errors.Is(err, taskcluster.ErrUnsupported) || version > 44 && err != nil {
				t.Errorf("seal: %v", err)
			}
			cancelled := must[*taskcluster.CancelledTaskGroup](t)(c.Queue.CancelTaskGroup(ctx, group))
			if cancelled.TaskGroupSize != len(all) || cancelled.CancelledCount != 6 || len(cancelled.TaskIDs) != 6 {
				t.Errorf("%+v", cancelled)
			}
			if version == 44 { // where nobody knows what there is, the calls tell
				proxied := must[*taskcluster.Client](t)(taskcluster.New(taskcluster.Config{ProxyURL: s.StartProxy(t, group, 0)}))
				if counts, err := proxied.Queue.TaskQueueCounts(ctx, "proj-taf/ci"); err != nil || counts.ClaimedTasks != 0 {
					t.Errorf("%+v, %v", counts, err)
				}
			}
			want := map[bool]int{false: 10000, true: 100}[version == 44]
			if f := must[*taskcluster.Features](t)(c.Features(ctx)); f.MaxDependencies != want {
				t.Errorf("%d dependencies", f.MaxDependencies)
			}
		})
	}
}

// A worker's side: claim, reclaim, artifacts of each kind, and how they are read.
func TestDoubleArtifacts(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	c, ctx := double(t, s), t.Context()
	d := definition("")
	d.Routes = []string{"index.taf.test.a"}
	id := create(t, c, d)
	claims := must[[]taskcluster.TaskClaim](t)(c.Worker.ClaimWork(ctx, "proj-taf/ci", &taskcluster.ClaimWorkRequest{WorkerGroup: "g", WorkerID: "w", Tasks: 2}))
	if len(claims) != 1 || claims[0].Task.Metadata.Name != "n" {
		t.Fatalf("%+v", claims)
	}
	w := with(t, s, claims[0].Credentials.Credentials())
	if claim := must[*taskcluster.TaskClaim](t)(w.Worker.ReclaimTask(ctx, id, 0)); claim.TakenUntil.Before(claims[0].TakenUntil.Time) {
		t.Errorf("taken until %v, then %v", claims[0].TakenUntil, claim.TakenUntil)
	}
	for name, request := range map[string]*taskcluster.CreateArtifactRequest{
		"public/text":  {StorageType: taskcluster.StorageS3, ContentType: "text/plain"},
		"private/text": {StorageType: taskcluster.StorageS3, ContentType: "text/plain"},
		"public/link":  {StorageType: taskcluster.StorageLink, Artifact: "public/text", ContentType: "text/plain"},
		"public/none":  {StorageType: taskcluster.StorageError, Reason: "file-missing-on-worker", Message: "not there"},
	} {
		request.Expires = d.Expires
		answer, err := w.Worker.CreateArtifact(ctx, id, 0, name, request)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if request.StorageType == taskcluster.StorageS3 {
			put(t, answer.PutURL, name+"\n")
		}
	}
	must[*taskcluster.Status](t)(w.Worker.ReportCompleted(ctx, id, 0))

	read := func(c *taskcluster.Client, name string) (string, error) {
		r, err := c.OpenResult(ctx, id, name)
		if err != nil {
			return "", err
		}
		defer r.Close()
		text, err := io.ReadAll(r)
		return string(text), err
	}
	anonymous := with(t, s, nil)
	for name, want := range map[string]string{"public/text": "public/text\n", "public/link": "public/text\n", "private/text": "private/text\n"} {
		if got, err := read(c, name); got != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := read(anonymous, "public/text"); got != "public/text\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	_, err := read(anonymous, "private/text")
	var api *taskcluster.Error
	if !errors.As(err, &api) || !slices.Equal(api.Missing.Scopes(), []string{"queue:get-artifact:private/text"}) {
		t.Errorf("%v", err)
	}
	if _, err := read(c, "public/none"); !errors.As(err, new(*taskcluster.ArtifactError)) {
		t.Errorf("%v", err)
	}
	if list, err := collect(t, c.Queue.ListLatestArtifacts(ctx, id, 0)); err != nil || len(list) != 4 {
		t.Errorf("%+v, %v", list, err)
	}
	if info := must[*taskcluster.Artifact](t)(c.Queue.ArtifactInfo(ctx, id, 0, "public/link")); info.StorageType != taskcluster.StorageLink {
		t.Errorf("%+v", info)
	}
	for _, content := range []*taskcluster.ArtifactContent{
		must[*taskcluster.ArtifactContent](t)(c.Queue.Artifact(ctx, id, 0, "public/text")), must[*taskcluster.ArtifactContent](t)(c.Queue.LatestArtifact(ctx, id, "public/text"))} {
		if got := get(t, content.URL); got != "public/text\n" || content.StorageType != taskcluster.StorageS3 {
			t.Errorf("%+v: %q", content, got)
		}
	}
	signed := must[string](t)(c.SignURL("/api/queue/v1/task/"+id+"/artifacts/private/text", time.Minute))
	if got := get(t, signed); got != "private/text\n" {
		t.Errorf("by the signed URL: %q", got)
	}

	if entry := must[*taskcluster.IndexedTask](t)(c.Index.FindTask(ctx, "taf.test.a")); entry.TaskID != id {
		t.Errorf("%+v", entry)
	}
	at := must[*taskcluster.ArtifactContent](t)(c.Index.FindArtifactFromTask(ctx, "taf.test.a", "public/text"))
	if got := get(t, at.URL); got != "public/text\n" {
		t.Errorf("by the index: %q", got)
	}
	s.ExpireArtifacts(id, "public/")
	if _, err := read(c, "public/text"); !taskcluster.IsNotFound(err) {
		t.Errorf("expired: %v", err)
	}
}

func put(t *testing.T, url, text string) {
	t.Helper()
	request := must[*http.Request](t)(http.NewRequest(http.MethodPut, url, strings.NewReader(text)))
	request.Header.Set("Content-Type", "text/plain")
	response := must[*http.Response](t)(http.DefaultClient.Do(request))
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("PUT: %s", response.Status)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	response := must[*http.Response](t)(http.Get(url))
	defer response.Body.Close()
	return string(must[[]byte](t)(io.ReadAll(response.Body)))
}

// The scopes that a refusal names are enough.
func TestDoubleMissingScopes(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	d := definition("")
	d.Routes, d.Scopes = []string{"index.taf.x"}, []string{"secrets:get:taf/x", "queue:get-artifact:private/*"}
	c := double(t, s, "queue:scheduler-id:taf")
	id := slugid.New()
	_, err := c.Queue.CreateTask(t.Context(), id, d)
	var api *taskcluster.Error
	if !errors.As(err, &api) || api.Missing.IsZero() {
		t.Fatal(err)
	}
	want := []string{"queue:create-task:lowest:proj-taf/ci", "queue:create-task:project:none", "queue:get-artifact:private/*", "queue:route:index.taf.x", "secrets:get:taf/x"}
	if diff := cmp.Diff(want, api.Missing.Scopes()); diff != "" {
		t.Error(diff)
	}
	enough := append(api.Missing.Scopes(), "queue:scheduler-id:taf", "auth:current-scopes", "auth:expand-scopes")
	c = double(t, s, enough...)
	if _, err := c.Queue.CreateTask(t.Context(), id, d); err != nil {
		t.Error(err)
	}
	held := must[[]string](t)(c.Auth.CurrentScopes(t.Context()))
	if missing := scope.Missing(held, enough...); missing != nil {
		t.Errorf("%v are missing in %v", missing, held)
	}
	s.Role("taf", "a:*", "b")
	expanded := must[[]string](t)(c.Auth.ExpandScopes(t.Context(), []string{"assume:taf"}))
	if missing := scope.Missing(expanded, "a:x", "b", "assume:taf"); missing != nil {
		t.Errorf("%v are missing in %v", missing, expanded)
	}
}

// Credentials of each kind are accepted for what they are for, and for nothing else.
func TestDoubleCredentials(t *testing.T) {
	s := tctest.New(t, tctest.Options{Anonymous: []string{}})
	issuer := s.Client("taf/issuer", "secrets:get:taf/*", "auth:create-client:taf/issuer/*", "auth:current-scopes")
	s.Secret("taf/x", map[string]string{"token": "value"})
	permanent := taskcluster.Credentials{ClientID: issuer.ClientID, AccessToken: issuer.AccessToken}
	start := time.Now().Add(-time.Minute)
	temporary := must[*taskcluster.Credentials](t)
	all := temporary(permanent.CreateTemporaryCredentials(start, time.Hour, "secrets:get:*"))
	tooMuch := temporary(permanent.CreateTemporaryCredentials(start, time.Hour, "secrets:get:taf/*"))
	named := temporary(permanent.CreateNamedTemporaryCredentials("taf/issuer/run", start, time.Hour, "secrets:get:taf/x"))
	foreign := temporary(permanent.CreateNamedTemporaryCredentials("other/run", start, time.Hour, "secrets:get:taf/x"))
	over := temporary(permanent.CreateTemporaryCredentials(start.Add(-2*time.Hour), time.Hour, "secrets:get:taf/x"))
	few, none := permanent, permanent
	few.AuthorizedScopes, none.AuthorizedScopes = []string{"secrets:get:taf/x"}, []string{}
	wrong := permanent
	wrong.AccessToken = "wrong"
	for name, tt := range map[string]struct {
		c    *taskcluster.Credentials
		want string // the code
	}{
		"permanent":                  {&permanent, ""},
		"temporary":                  {tooMuch, ""},
		"temporary, more than held":  {all, "AuthenticationFailed"},
		"named":                      {named, ""},
		"named, not allowed":         {foreign, "AuthenticationFailed"},
		"expired":                    {over, "AuthenticationFailed"},
		"authorized scopes":          {&few, ""},
		"authorized scopes, nothing": {&none, "InsufficientScopes"},
		"wrong token":                {&wrong, "AuthenticationFailed"},
		"anonymous":                  {nil, "InsufficientScopes"},
	} {
		secret, err := with(t, s, tt.c).Secrets.Get(t.Context(), "taf/x")
		if tt.want == "" && (err != nil || string(secret.Secret) != `{"token":"value"}`) || tt.want != "" && !taskcluster.HasCode(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	tester := with(t, s, &taskcluster.TestCredentials)
	got := must[*taskcluster.TestAuthenticateResponse](t)(tester.Auth.TestAuthenticate(t.Context(), []string{"test:a"}, []string{"test:a"}))
	if got.ClientID != "tester" {
		t.Errorf("%+v", got)
	}
	s.AuthClock().Advance(20 * time.Minute)
	if _, err := with(t, s, &permanent).Secrets.Get(t.Context(), "taf/x"); !taskcluster.HasCode(err, taskcluster.CodeAuthenticationFailed) {
		t.Errorf("with a clock that is 20 minutes off: %v", err)
	}
	if skew := must[time.Duration](t)(tester.ClockSkew(t.Context())); (skew + 20*time.Minute).Abs() > 2*time.Second {
		t.Errorf("skew %v", skew)
	}
}

// Inside a task: calls go through the proxy unsigned, with the scopes of the task, and content is read from where it is.
func TestDoubleProxy(t *testing.T) {
	s := tctest.New(t, tctest.Options{Buckets: map[string]tctest.BucketCredentials{"taf-data": {AccessKeyID: "a", SecretAccessKey: "s", SessionToken: "t"}}})
	s.Secret("taf/x", map[string]string{"token": "value"})
	admin := double(t, s)
	upstream := create(t, admin, definition(""))
	if err := s.Complete(upstream, tctest.Artifact{Name: "public/taf/report.json", Data: []byte("{}"), ContentType: "application/json"}); err != nil {
		t.Fatal(err)
	}
	d := definition("", upstream)
	d.Scopes = []string{"secrets:get:taf/x", "auth:aws-s3:read-only:taf-data/in/*", "auth:current-scopes"}
	id := create(t, admin, d)
	claims := must[[]taskcluster.TaskClaim](t)(admin.Worker.ClaimWork(t.Context(), "proj-taf/ci", &taskcluster.ClaimWorkRequest{WorkerGroup: "g", WorkerID: "w", Tasks: 1}))
	if len(claims) != 1 || claims[0].Status.TaskID != id {
		t.Fatalf("%+v", claims)
	}
	env := map[string]string{taskcluster.EnvRootURL: s.RootURL, taskcluster.EnvProxyURL: s.StartProxy(t, id, 0)}
	c := must[*taskcluster.Client](t)(taskcluster.New(taskcluster.Config{}.WithEnv(func(k string) string { return env[k] })))
	if secret, err := c.Secrets.Get(t.Context(), "taf/x"); err != nil || !strings.Contains(string(secret.Secret), "value") {
		t.Errorf("%v", err)
	}
	if _, err := c.Secrets.Get(t.Context(), "taf/y"); !taskcluster.HasCode(err, taskcluster.CodeInsufficientScopes) {
		t.Errorf("%v", err)
	}
	aws := must[*taskcluster.AwsS3Credentials](t)(c.Auth.AwsS3Credentials(t.Context(), "read-only", "taf-data", "in/2026/"))
	if aws.Credentials.SessionToken != "t" || !aws.Expires.After(time.Now()) {
		t.Errorf("%+v", aws)
	}
	own := must[*taskcluster.TaskDefinition](t)(c.Queue.Task(t.Context(), id))
	if !slices.Equal(own.Dependencies, []string{upstream}) {
		t.Errorf("%+v", own)
	}
	r := must[*taskcluster.ArtifactReader](t)(c.OpenResult(t.Context(), upstream, "public/taf/report.json"))
	defer r.Close()
	if text, err := io.ReadAll(r); string(text) != "{}" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

// A create whose answer is lost, and one that fails before anything is done, are both made again; there is one task in the end.
func TestDoubleFaults(t *testing.T) {
	for name, fault := range map[string]tctest.Fault{
		"lost answer": {Method: "createTask", LoseAnswer: true},
		"reset":       {Method: "createTask", Reset: true},
		"502":         {Method: "createTask", Status: 502, Times: 2},
		"429":         {Method: "createTask", Status: 429},
	} {
		s := tctest.New(t, tctest.Options{})
		c := double(t, s)
		s.Inject(fault)
		create(t, c, definition(""))
		if n, calls := len(s.TaskIDs()), len(s.Calls("createTask")); n != 1 || calls < 2 {
			t.Errorf("%s: %d tasks after %d calls", name, n, calls)
		}
	}
}

func TestDoublePing(t *testing.T) {
	c := double(t, tctest.New(t, tctest.Options{}))
	for _, service := range []interface{ Ping(context.Context) error }{c.Queue, c.Index, c.Auth, c.Secrets, c.Notify, c.Object} {
		if err := service.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestDoubleNotify(t *testing.T) {
	s := tctest.New(t, tctest.Options{})
	c, ctx := double(t, s), t.Context()
	for kind, err := range map[string]error{
		"email":  c.Notify.Email(ctx, &taskcluster.EmailRequest{Address: "a@example.com", Subject: "s", Content: "c"}),
		"slack":  c.Notify.Slack(ctx, &taskcluster.SlackRequest{ChannelID: "C1", Text: "t"}),
		"matrix": c.Notify.Matrix(ctx, &taskcluster.MatrixRequest{RoomID: "!r:example.com", Body: "b"}),
		"pulse":  c.Notify.Pulse(ctx, &taskcluster.PulseRequest{RoutingKey: "k", Message: json.RawMessage(`{}`)}),
	} {
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if n := len(s.Notifications()); n != 4 {
		t.Errorf("%d notifications", n)
	}
}

func TestDoubleIndex(t *testing.T) {
	for _, version := range []int{106, 44} {
		s := tctest.New(t, tctest.Options{Version: version, PageSize: 2})
		c, ctx := double(t, s), t.Context()
		id := create(t, c, definition(""))
		expires := map[string]time.Time{}
		for i := range 5 {
			expires[fmt.Sprintf("taf.k%d", i)] = time.Now().Add(time.Hour)
		}
		expires["taf.old"] = time.Now().Add(-time.Hour)
		expires["top"] = time.Now().Add(time.Hour)
		for namespace, at := range expires {
			request := &taskcluster.InsertTaskRequest{TaskID: id, Rank: 1, Data: json.RawMessage(`{"a": 1}`), Expires: taskcluster.At(at)}
			if entry, err := c.Index.InsertTask(ctx, namespace, request); err != nil || !entry.Expires.Equal(request.Expires) {
				t.Errorf("%+v, %v", entry, err)
			}
		}
		found := must[map[string]taskcluster.IndexedTask](t)(c.Index.FindTasksAtIndex(ctx, append(slices.Collect(maps.Keys(expires)), "taf.none", "taf.k1")))
		if diff := cmp.Diff([]string{"taf.k0", "taf.k1", "taf.k2", "taf.k3", "taf.k4", "top"}, slices.Sorted(maps.Keys(found))); diff != "" {
			t.Errorf("%d: %s", version, diff)
		}
		if list, err := collect(t, c.Index.ListTasks(ctx, "taf", 0)); err != nil || len(list) < 5 {
			t.Errorf("%d entries, %v", len(list), err)
		}
		if err := c.Index.DeleteTask(ctx, "taf.k0"); err != nil {
			t.Error(err)
		}
		if _, err := c.Index.FindTask(ctx, "taf.k0"); !taskcluster.IsNotFound(err) {
			t.Error(err)
		}
	}
}
