package taskcluster_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/engine/enginetest"
	tc "github.com/tafc/tafc/engine/taskcluster"
	"github.com/tafc/tafc/internal/s3test"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/state"
	"github.com/tafc/tafc/taskcluster/tctest"
	"github.com/tafc/tafc/taskcluster/tctest/worker"
)

// site is a deployment with a worker, and an engine over it.
type site struct {
	*testing.T
	server   *tctest.Server
	db       *state.DB
	settings *tc.Settings
	dir      string
}

func newSite(t *testing.T, payload string, server tctest.Options, o worker.Options) *site {
	t.Helper()
	server.LongPoll = time.Second
	db, err := state.Open(t.Context(), filepath.Join(t.TempDir(), ".taf"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := &site{T: t, server: tctest.New(t, server), db: db, dir: t.TempDir()}
	s.settings = settings(s.server, payload)
	s.worker(o)
	return s
}

func (s *site) worker(o worker.Options) *worker.Worker {
	o.Queue, o.Containers, o.Path, o.Log = queue, worker.Processes, []string{program(s.T)}, s.Logf
	if o.Capacity == 0 {
		o.Capacity = 3
	}
	return worker.New(s, s.server, o)
}

// words is a run that counts words, and its last task.
func (s *site) words(id string, commands ...string) (*engine.Run, *engine.Task) {
	b := enginetest.NewBuild(s, s.dir, id)
	var maps []*engine.Task
	for i, command := range commands {
		m := b.Map("words", string(rune('a'+i)), "b a\nc\n", command)
		m.Retry = engine.Retry{Attempts: 4, On: []string{"infrastructure"}}
		maps = append(maps, m)
	}
	return b.Run, b.Reduce("total", `cut -f 1 | sort | uniq -c | awk '{print $2 "\t" $1}'`, maps...)
}

// apply carries out a run and returns what its tasks became.
func (s *site) apply(run *engine.Run) (*engine.Outcome, map[string]*job.Report) {
	s.Helper()
	reports := map[string]*job.Report{}
	out, err := newEngine(s.T, s.server, s.db, s.settings).Apply(s.Context(), run, func(e engine.Event) {
		if e.Report != nil {
			reports[e.Task.Addr.String()] = e.Report
		}
	})
	if err != nil {
		s.Fatal(err)
	}
	return out, reports
}

const split = `tr ' ' '\n'`

// covers is what the result of a run's last task stands for.
func (s *site) covers(t *engine.Task) job.FileLedger {
	s.Helper()
	r, err := s.db.Report(s.Context(), t.Key)
	if err != nil {
		s.Fatal(err)
	}
	return r.Report.Covers.Files
}

// What befalls calls does not show in the result, and no task is created twice.
func TestStorms(t *testing.T) {
	for name, fault := range map[string]tctest.Fault{
		"unavailable":        {Status: http.StatusServiceUnavailable, Times: 3},
		"internal error":     {Status: http.StatusInternalServerError, Times: 2},
		"broken connections": {Reset: true, Times: 3},
		"lost answers":       {LoseAnswer: true, Times: 3},
		"slow answers":       {Delay: 300 * time.Millisecond, Times: 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, tc.DockerPayload, tctest.Options{}, worker.Options{})
			for _, method := range []string{"createTask", "scheduleTask", "statuses", "status", "task", "getArtifact", "createArtifact", "reportCompleted", "claimWork"} {
				f := fault
				f.Method = method
				s.server.Inject(f)
			}
			run, total := s.words("20260101T000000-0001", split, split, split)
			out, _ := s.apply(run)
			if out.States[total.Addr] != engine.Done || s.covers(total).Planned != 3 {
				t.Errorf("outcome %+v", out)
			}
			if n := len(s.server.TaskIDs()); n != 5 { // with the gate
				t.Errorf("%d tasks were created, want 5", n)
			}
		})
	}
}

// A task whose worker is lost runs again elsewhere.
func TestWorkerLostInMidTask(t *testing.T) {
	for _, payload := range []string{tc.DockerPayload, tc.NativePayload} {
		t.Run(payload, func(t *testing.T) {
			t.Parallel()
			var lost atomic.Bool
			s := newSite(t, payload, tctest.Options{}, worker.Options{Reclaim: time.Second, Started: func(w *worker.Worker, _ string, _ int) {
				if lost.CompareAndSwap(false, true) {
					go w.Lose()
				}
			}})
			run, total := s.words("20260101T000000-0001", "sleep 1; "+split, "sleep 1; "+split)
			go func() {
				for !lost.Load() {
					time.Sleep(50 * time.Millisecond)
				}
				s.worker(worker.Options{Reclaim: time.Second})
			}()
			out, reports := s.apply(run)
			if out.States[total.Addr] != engine.Done || out.Partial {
				t.Errorf("outcome %+v", out)
			}
			if a, b := reports[`map.words["a"]`], reports[`map.words["b"]`]; a == nil || b == nil || a.Attempt+b.Attempt < 3 {
				t.Errorf("no task ran twice: %+v, %+v", a, b)
			}
		})
	}
}

// What a mapper fails with is told as on the local engine.
func TestMapperFails(t *testing.T) {
	for _, payload := range []string{tc.DockerPayload, tc.NativePayload} {
		t.Run(payload, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, payload, tctest.Options{}, worker.Options{})
			run, _ := s.words("20260101T000000-0001", split, "echo sorry >&2; exit 3")
			out, reports := s.apply(run)
			got := map[string]engine.State{}
			for a, state := range out.States {
				got[a.String()] = state
			}
			want := map[string]engine.State{`map.words["a"]`: engine.Done, `map.words["b"]`: engine.Failed, "reduce.total": engine.Cancelled}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
			if r := reports[`map.words["b"]`]; r == nil || r.Cause != job.CauseCode || r.Failure.Exit != "exit status 3" {
				t.Errorf("report %+v", r)
			}
		})
	}
}

// Files of a bucket are read with credentials of the secrets service, and nothing keeps these.
func TestBucketAndSecret(t *testing.T) {
	s3 := s3test.Start(t)
	s3.Bucket(t, "telemetry")
	s3.Put(t, "telemetry", "logs/a", []byte("b a\nc\n"))
	for _, payload := range []string{tc.DockerPayload, tc.NativePayload} {
		t.Run(payload, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, payload, tctest.Options{}, worker.Options{})
			s.settings.S3Credentials, s.settings.LocalFiles = "secret:project/taf/bucket", false
			s.server.Secret("project/taf/bucket", map[string]string{"accessKeyId": s3.AccessKey, "secretAccessKey": s3.SecretKey})
			run, total := s.words("20260101T000000-0001", split)
			m := run.Tasks[0]
			m.Root = "s3://telemetry/logs"
			m.Spec.S3 = &job.S3{Endpoint: s3.Endpoint, Region: s3test.Region}
			m.Spec.Files[0].URL, m.Spec.Files[0].ETag = "s3://telemetry/logs/a", s3test.ETag([]byte("b a\nc\n"))
			out, reports := s.apply(run)
			if out.States[total.Addr] != engine.Done {
				t.Fatalf("outcome %+v, %+v", out, reports)
			}
			for _, id := range s.server.TaskIDs() {
				if strings.Contains(string(s.server.Task(id)), s3.SecretKey) {
					t.Errorf("the definition of %s holds the secret", id)
				}
			}
			err := filepath.WalkDir(s.db.Dir(), func(path string, d os.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				data, err := os.ReadFile(path)
				if strings.Contains(string(data), s3.SecretKey) {
					t.Errorf("%s holds the secret", path)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
