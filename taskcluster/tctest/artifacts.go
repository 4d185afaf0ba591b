package tctest

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// artifact is an artifact of a run. What it is for depends on its storage type.
type artifact struct {
	storage     string // s3, object, reference, link, error
	name        string
	contentType string
	length      *int64
	expires     time.Time
	url         string // of a reference
	target      string // of a link
	reason      string // of an error
	message     string
	bucket, key string // of s3 and object
	uploadID    string // of an object
	absent      bool   // an object that is not finished
}

// artifactAnswer is an artifact in a list.
type artifactAnswer struct {
	StorageType   string `json:"storageType"`
	Name          string `json:"name"`
	Expires       string `json:"expires"`
	ContentType   string `json:"contentType"`
	ContentLength *int64 `json:"contentLength,omitempty"`
}

func (a *artifact) answer() artifactAnswer {
	return artifactAnswer{a.storage, a.name, stamp(a.expires), a.contentType, a.length}
}

const binary = "application/binary" // the type of what has none

func createArtifact(c *call) (any, error) {
	if err := c.authorize(scope("queue:create-artifact:", c.params["taskId"], "/", c.params["runId"])); err != nil {
		return nil, err
	}
	t, runID, err := c.taskRun()
	if err != nil {
		return nil, err
	}
	a := c.artifact(t.id, runID)
	q := c.s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.mayCreateArtifact(t, runID, a, c.s.clock.Now()); err != nil {
		return nil, err
	}
	byName := t.artifacts[runID]
	if byName == nil {
		byName = map[string]*artifact{}
		t.artifacts[runID] = byName
	}
	if old := byName[a.name]; old != nil {
		if !old.mayBecome(a) {
			return nil, conflict("Artifact already exists with different properties, and none of the allowed exceptions apply: %s", old.describe())
		}
		a.uploadID = old.uploadID
		if a.storage != "object" {
			a.absent = old.absent && a.absent
		}
	}
	if a.storage == "object" && a.uploadID == "" {
		a.uploadID = slug()
	}
	byName[a.name] = a
	return c.artifactCreated(t, runID, a), nil
}

// artifact reads the artifact that the body asks for.
func (c *call) artifact(taskID string, runID int) *artifact {
	a := &artifact{storage: c.str("storageType"), name: c.params["name"], contentType: c.str("contentType"),
		url: c.str("url"), target: c.str("artifact"), reason: c.str("reason"), message: c.str("message")}
	a.expires, _ = parseStamp(c.str("expires"))
	if a.contentType == "" {
		a.contentType = binary
	}
	if n, ok := c.body["contentLength"].(float64); ok {
		length := int64(n)
		a.length = &length
	}
	path := taskID + "/" + strconv.Itoa(runID) + "/" + a.name
	switch a.storage {
	case "s3":
		a.bucket, a.key = privateBucket, path
		if strings.HasPrefix(a.name, "public/") {
			a.bucket = publicBucket
		}
	case "object":
		a.bucket, a.key, a.absent = publicBucket, "t/"+path, true
	}
	return a
}

func (q *queue) mayCreateArtifact(t *task, runID int, a *artifact, now time.Time) *apiError {
	r := t.run(runID)
	switch {
	case r == nil:
		return notFound("Run not found")
	case a.expires.After(t.expires):
		return badInput("Artifact expires (%s) after the task expiration %s (task.expires < expires) - this is not allowed, "+
			"artifacts may not expire after the task they belong to expires", stamp(a.expires), stamp(t.expires))
	case r.state == running, r.state == exception && now.Before(r.resolved.Add(lateArtifactLimit)):
		return nil
	}
	text, _ := json.MarshalIndent(q.status(t), "", "  ")
	return conflict("Artifacts cannot be created for a task after it is resolved, unless it is resolved 'exception', and even in this case "+
		"only up to 25 min past resolution.This to ensure that artifacts have been uploaded before a task is 'completed' and output is "+
		"consumed by a dependent task\n\nTask status: %s", text)
}

// mayBecome says whether creating b over a is allowed: the same again, a later expiry, and another target for a redirect.
func (a *artifact) mayBecome(b *artifact) bool {
	if a.storage == "reference" && (b.storage == "reference" || b.storage == "link") {
		return true
	}
	return a.storage == b.storage && a.contentType == b.contentType && !b.expires.Before(a.expires) &&
		a.url == b.url && a.target == b.target && a.reason == b.reason && a.message == b.message
}

func (a *artifact) describe() string {
	text, _ := json.MarshalIndent(struct {
		StorageType string `json:"storageType"`
		ContentType string `json:"contentType"`
		Expires     string `json:"expires"`
	}{a.storage, a.contentType, stamp(a.expires)}, "", "  ")
	return string(text)
}

const uploadLife = 45*time.Minute + 10*time.Second

func (c *call) artifactCreated(t *task, runID int, a *artifact) any {
	now := c.s.clock.Now()
	switch a.storage {
	case "s3":
		return map[string]any{"storageType": "s3", "contentType": a.contentType, "expires": stamp(now.Add(45 * time.Minute)),
			"putUrl": c.s.blobs.sign(c.s, "PUT", a.bucket, a.key, now.Add(uploadLife))}
	case "object":
		r := t.runs[runID]
		name := "artifact-upload/" + t.id + "/" + strconv.Itoa(runID) + "/on/" + r.workerGroup + "/" + r.workerID
		creds := issue(queueIssuer, c.s.issuerToken(), name, []string{"object:upload:" + t.def.ProjectID + ":" + a.key}, now, a.expires)
		return map[string]any{"storageType": "object", "name": a.key, "projectId": t.def.ProjectID, "uploadId": a.uploadID,
			"expires": stamp(a.expires), "credentials": creds}
	}
	return map[string]string{"storageType": a.storage}
}

func finishArtifact(c *call) (any, error) {
	if err := c.authorize(scope("queue:create-artifact:", c.params["taskId"], "/", c.params["runId"])); err != nil {
		return nil, err
	}
	t, runID, err := c.taskRun()
	if err != nil {
		return nil, err
	}
	q := c.s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	a := t.artifacts[runID][c.params["name"]]
	switch {
	case a == nil:
		return nil, notFound("Artifact not found")
	case a.storage == "object" && a.length != nil && c.s.version >= 100:
		// A mistake of the release that clients have to live with.
		a.absent = false
		return nil, internal("Error: Message validation failed. \nSchema Validation Failed!\nErrors:\n  * data/artifact must NOT have additional properties: \"contentLength\"")
	case a.uploadID != c.str("uploadId"):
		return nil, badInput("Invalid uploadId")
	}
	a.absent = false
	return reply{status: 204}, nil
}
