package tctest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

const (
	downloadLife       = 30 * time.Minute
	objectDownloadLife = time.Hour
)

// artifactRun finds the run of the call: the one named, or the one with the highest number, whatever became of it. The lock is held.
func (c *call) artifactRun() (*task, int, *apiError) {
	t := c.s.queue.tasks[c.params["taskId"]]
	text, named := c.params["runId"]
	switch {
	case t == nil && named:
		return nil, 0, notFound("Artifact not found")
	case t == nil:
		return nil, 0, notFound("Task not found")
	case named:
		runID, _ := strconv.Atoi(text)
		return t, runID, nil
	case len(t.runs) == 0:
		return nil, 0, notFound("Task doesn't have any runs")
	}
	return t, len(t.runs) - 1, nil
}

// findArtifact follows links to what they lead to, and returns all names on the way: each needs its scope.
func (c *call) findArtifact() (a *artifact, t *task, names []string, err *apiError) {
	q := c.s.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	t, runID, err := c.artifactRun()
	if err != nil {
		return nil, nil, nil, err
	}
	name := c.params["name"]
	for {
		if slices.Contains(names, name) {
			return nil, nil, nil, badInput("Artifact leads to a link cycle")
		}
		names = append(names, name)
		a = t.artifacts[runID][name]
		switch {
		case a == nil || a.absent:
			return nil, nil, nil, notFound("Artifact not found")
		case a.storage != "link":
			return a, t, names, nil
		}
		name = a.target
	}
}

func getArtifact(c *call) (any, error) {
	a, _, err := c.readable()
	if err != nil {
		return nil, err
	}
	header := map[string]string{"x-taskcluster-artifact-storage-type": a.storage}
	if a.storage == "error" {
		return reply{http.StatusFailedDependency, header, map[string]string{"reason": a.reason, "message": a.message}}, nil
	}
	header["Location"] = c.s.urlOf(a)
	return reply{http.StatusSeeOther, header, map[string]string{"storageType": a.storage, "url": header["Location"]}}, nil
}

// readable is the artifact of the call, when it may be read and has not expired.
func (c *call) readable() (*artifact, *task, error) {
	a, t, names, err := c.findArtifact()
	if err != nil {
		return nil, nil, err
	}
	if err := c.authorize(allOf(eachScope("queue:get-artifact:", names)...)); err != nil {
		return nil, nil, err
	}
	if a.expires.Before(c.s.clock.Now()) {
		return nil, nil, fail("ResourceExpired", "Artifact has expired")
	}
	return a, t, nil
}

// urlOf is where the content of an artifact is.
func (s *Server) urlOf(a *artifact) string {
	switch {
	case a.storage == "reference":
		return a.url
	case a.storage == "s3" && a.bucket == publicBucket:
		return s.blobs.url(s, a.bucket, a.key)
	}
	return s.blobs.sign(s, http.MethodGet, a.bucket, a.key, s.clock.Now().Add(downloadLife))
}

func artifactContent(c *call) (any, error) {
	a, _, err := c.readable()
	if err != nil {
		return nil, err
	}
	now := c.s.clock.Now()
	switch a.storage {
	case "error":
		return map[string]string{"storageType": "error", "reason": a.reason, "message": a.message}, nil
	case "object":
		name := "artifact-download/" + a.key[len("t/"):]
		creds := issue(queueIssuer, c.s.issuerToken(), name, []string{"object:download:" + a.key}, now, now.Add(objectDownloadLife))
		return map[string]any{"storageType": "object", "name": a.key, "credentials": creds}, nil
	}
	return map[string]string{"storageType": a.storage, "url": c.s.urlOf(a)}, nil
}

func (c *call) listingArtifacts() expression {
	if run, named := c.params["runId"]; named {
		return scope("queue:list-artifacts:", c.params["taskId"], ":", run)
	}
	return scope("queue:list-artifacts:", c.params["taskId"])
}

func artifactInfo(c *call) (any, error) {
	if err := c.authorize(c.listingArtifacts()); err != nil {
		return nil, err
	}
	c.s.queue.mu.Lock()
	defer c.s.queue.mu.Unlock()
	t, runID, err := c.artifactRun()
	if err != nil {
		return nil, err
	}
	a := t.artifacts[runID][c.params["name"]]
	switch {
	case a == nil || a.absent:
		return nil, notFound("Artifact not found")
	case a.expires.Before(c.s.clock.Now()):
		return nil, fail("ResourceExpired", "Artifact has expired")
	}
	return a.answer(), nil
}

func listArtifacts(c *call) (any, error) {
	if err := c.authorize(c.listingArtifacts()); err != nil {
		return nil, err
	}
	c.s.queue.mu.Lock()
	defer c.s.queue.mu.Unlock()
	t, runID, err := c.artifactRun()
	if err != nil {
		return nil, err
	}
	answer := struct {
		Artifacts []artifactAnswer `json:"artifacts"`
		Next      string           `json:"continuationToken,omitempty"`
	}{Artifacts: []artifactAnswer{}}
	var names []string
	names, answer.Next = page(c, slices.SortedFunc(maps.Keys(t.artifacts[runID]), byCollation), collation)
	for _, name := range names {
		answer.Artifacts = append(answer.Artifacts, t.artifacts[runID][name].answer())
	}
	return answer, nil
}
