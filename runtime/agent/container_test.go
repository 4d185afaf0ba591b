package agent_test

import (
	"strings"
	"testing"

	"github.com/tafc/tafc/internal/dockertest"
	"github.com/tafc/tafc/internal/s3test"
	"github.com/tafc/tafc/runtime/agent"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/taskcluster/tctest/worker"
)

const pythonMapper = "def map(record):\n    yield str(record.value), 1\n"

// In a real container, of an image whose user is not root, tasks do what they do as processes.
func TestContainers(t *testing.T) {
	dockertest.Images(t)
	s3 := s3test.Start(t)
	files := map[string]string{"logs/1": "a\n", "logs/2": "b\n", "logs/3": "a\n"}
	s3.Bucket(t, "telemetry")
	for key, text := range files {
		s3.Put(t, "telemetry", key, []byte(text))
	}
	c := newCluster(t, false, worker.Options{Containers: worker.Docker})
	c.image = "taf-python:" + dockertest.Tag
	c.server.Secret("project/taf/bucket", map[string]any{"accessKeyId": s3.AccessKey, "secretAccessKey": s3.SecretKey})
	archive, digest, err := agent.Pack([]agent.File{{Path: "mapper.py", Data: []byte(pythonMapper)}})
	if err != nil {
		t.Fatal(err)
	}
	m := bucketTask(s3, "python", files, "")
	m.doc.Spec.Command = nil
	m.doc.Spec.Code = &job.Code{Entry: "mapper.py", Language: "python", Contract: "taf", Function: "map", Digest: "d"}
	m.doc.Code = &agent.Code{SHA256: digest, Size: int64(len(archive)), Inline: archive}
	m.doc.Buckets, m.scopes = &agent.Buckets{Secret: "project/taf/bucket"}, []string{"secrets:get:project/taf/bucket"}
	total := over("id -u >&2; cut -f 1 | "+count, m)
	killed := bucketTask(s3, "killed", files, "kill -9 $$")
	killed.doc.Buckets, killed.scopes = m.doc.Buckets, m.scopes
	absent := bucketTask(s3, "absent", files, "cat")
	for _, task := range []*task{m, total, killed} {
		c.create(task)
	}
	c.image = "127.0.0.1:1/absent/image:1"
	c.create(absent)
	if got, want := c.text(total), "a\t2\nb\t1\n"; got != want {
		t.Errorf("result %q, want %q", got, want)
	}
	if log := string(c.artifact(total, "public/logs/live_backing.log")); !strings.Contains(log, "10001") {
		t.Errorf("the user of the image is not the one that runs tasks: %s", log)
	}
	c.nowhere(m, s3.SecretKey)
	if r := c.report(killed); r.Cause != job.CauseCode || r.Failure.Exit != "signal: killed" {
		t.Errorf("%s, %+v; want a kill of the program", r.Cause, r.Failure)
	}
	if run, _ := c.wait(absent).LatestRun(); run.ReasonResolved != "internal-error" {
		t.Errorf("a task whose image nobody has ended %s", run.ReasonResolved)
	}
}
