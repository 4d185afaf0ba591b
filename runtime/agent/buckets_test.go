package agent_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tafc/tafc/internal/s3test"
	"github.com/tafc/tafc/runtime/agent"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/taskcluster/tctest"
	"github.com/tafc/tafc/taskcluster/tctest/worker"
)

// bucketTask is a map over objects of a bucket.
func bucketTask(s *s3test.Server, name string, files map[string]string, command string) *task {
	t := newTask("map."+name, job.RoleMap, command)
	t.doc.Spec.S3 = &job.S3{Endpoint: s.Endpoint, Region: s3test.Region}
	t.doc.Spec.Download = job.Download{Attempts: 2, Timeout: 10 * time.Second}
	for _, key := range []string{"logs/1", "logs/2", "logs/3"} {
		t.doc.Spec.Files = append(t.doc.Spec.Files, job.File{
			Key: key, URL: "s3://telemetry/" + key, Size: int64(len(files[key])), ETag: s3test.ETag([]byte(files[key])),
		})
	}
	return t
}

// Files of a bucket are read with the credentials that Taskcluster gives or keeps, and user code sees none of them.
func TestBuckets(t *testing.T) {
	s3 := s3test.Start(t)
	files := map[string]string{"logs/1": "a\n", "logs/2": "b\n", "logs/3": "c\n"}
	s3.Bucket(t, "telemetry")
	for key, text := range files {
		s3.Put(t, "telemetry", key, []byte(text))
	}
	both(t, func(t *testing.T, native bool) {
		c := newClusterOf(t, native, worker.Options{}, tctest.Options{
			Buckets: map[string]tctest.BucketCredentials{"telemetry": {AccessKeyID: s3.AccessKey, SecretAccessKey: s3.SecretKey}},
		})
		c.server.Secret("project/taf/bucket", map[string]any{"accessKeyId": s3.AccessKey, "secretAccessKey": s3.SecretKey})
		c.server.Secret("project/taf/empty", map[string]any{"user": "me"})
		const look = "env | grep -c AWS_ >&2; cat"
		granted := bucketTask(s3, "granted", files, look)
		granted.doc.Buckets = &agent.Buckets{Auth: []agent.Grant{{Bucket: "telemetry", Prefix: "logs/"}}}
		granted.scopes = []string{"auth:aws-s3:read-only:telemetry/logs/"}
		secret := bucketTask(s3, "secret", files, look)
		secret.doc.Buckets, secret.scopes = &agent.Buckets{Secret: "project/taf/bucket"}, []string{"secrets:get:project/taf/bucket"}
		forbidden := bucketTask(s3, "forbidden", files, "cat")
		forbidden.doc.Buckets = granted.doc.Buckets
		empty := bucketTask(s3, "empty", files, "cat")
		empty.doc.Buckets, empty.scopes = &agent.Buckets{Secret: "project/taf/empty"}, []string{"secrets:get:project/taf/empty"}
		for _, task := range []*task{granted, secret, forbidden, empty} {
			c.create(task)
		}
		for _, task := range []*task{granted, secret} {
			if got := c.text(task); got != "a\nb\nc\n" {
				t.Errorf("%s: %q", task.doc.Spec.Task, got)
			}
			if log := string(c.artifact(task, "public/logs/live_backing.log")); !strings.Contains(log, "0\n") || strings.Contains(log, s3.SecretKey) {
				t.Errorf("user code sees credentials, or the log holds them: %s", log)
			}
			c.nowhere(task, s3.SecretKey)
		}
		for task, want := range map[*task]string{forbidden: "auth:aws-s3:read-only:telemetry/logs/", empty: "holds no credentials"} {
			if r := c.report(task); r.Cause == job.CauseDone || !strings.Contains(r.Failure.Message, want) {
				t.Errorf("%s: %s, %+v; want %q", task.doc.Spec.Task, r.Cause, r.Failure, want)
			}
		}
		if n := len(c.server.Calls("awsS3Credentials")); n > 1+forbidden.doc.Spec.Download.Attempts*3 {
			t.Errorf("credentials were asked for %d times", n)
		}
	})
}

// Credentials that are about to end are replaced before they do.
func TestBucketCredentialsAreReplaced(t *testing.T) {
	s3 := s3test.Start(t)
	files := map[string]string{"logs/1": "a\n", "logs/2": "b\n", "logs/3": "c\n"}
	s3.Bucket(t, "telemetry")
	for key, text := range files {
		s3.Put(t, "telemetry", key, []byte(text))
	}
	clock := new(tctest.Clock)
	c := newClusterOf(t, false, worker.Options{}, tctest.Options{
		Clock: clock, Buckets: map[string]tctest.BucketCredentials{"telemetry": {AccessKeyID: s3.AccessKey, SecretAccessKey: s3.SecretKey}},
	})
	// The hour that they last ends in four minutes.
	const gone = 56 * time.Minute
	c.server.BeforeCall(func(call tctest.Call) *tctest.Fault {
		if call.Method == "awsS3Credentials" {
			clock.Advance(-gone)
		}
		return nil
	})
	c.server.AfterCall(func(call tctest.Call) {
		if call.Method == "awsS3Credentials" {
			clock.Advance(gone)
		}
	})
	m := bucketTask(s3, "granted", files, "cat")
	m.doc.Buckets = &agent.Buckets{Auth: []agent.Grant{{Bucket: "telemetry", Prefix: "logs/"}}}
	m.scopes = []string{"auth:aws-s3:read-only:telemetry/logs/"}
	c.create(m)
	if got := c.text(m); got != "a\nb\nc\n" {
		t.Errorf("result %q", got)
	}
	if n := len(c.server.Calls("awsS3Credentials")); n < 2 {
		t.Errorf("credentials were asked for %d times, though they were about to end", n)
	}
}
