package taskcluster

import (
	"context"
	"errors"
	"iter"
	"net/http"
)

type artifactPage struct {
	Artifacts         []Artifact `json:"artifacts"`
	ContinuationToken string     `json:"continuationToken"`
}

func (p *artifactPage) entries() ([]Artifact, string) { return p.Artifacts, p.ContinuationToken }

func (q *queue) ListArtifacts(ctx context.Context, taskID string, runID int, limit int) iter.Seq2[Artifact, error] {
	k := call{service: "queue", name: "listArtifacts", subject: taskID, method: http.MethodGet, path: runPath(taskID, runID) + "/artifacts"}
	return pages(ctx, q.caller, k, limit, (*artifactPage).entries)
}

func (q *queue) ListLatestArtifacts(ctx context.Context, taskID string, limit int) iter.Seq2[Artifact, error] {
	k := call{service: "queue", name: "listLatestArtifacts", subject: taskID, method: http.MethodGet, path: pathOf("/task/", taskID, "/artifacts")}
	return pages(ctx, q.caller, k, limit, (*artifactPage).entries)
}

func (q *queue) ArtifactInfo(ctx context.Context, taskID string, runID int, name string) (*Artifact, error) {
	return q.info(ctx, "artifactInfo", taskID, name, runPath(taskID, runID))
}

func (q *queue) LatestArtifactInfo(ctx context.Context, taskID, name string) (*Artifact, error) {
	return q.info(ctx, "latestArtifactInfo", taskID, name, pathOf("/task/", taskID))
}

func (q *queue) info(ctx context.Context, method, taskID, name, path string) (*Artifact, error) {
	result := new(Artifact)
	k := artifactCall(method, taskID, name, path+pathOf("/artifact-info/", name))
	k.result = result
	if _, err := q.do(ctx, k); err != nil {
		return nil, err
	}
	return result, nil
}

func (q *queue) GetArtifact(ctx context.Context, taskID string, runID int, name string) (*ArtifactContent, error) {
	return q.redirect(ctx, artifactCall("getArtifact", taskID, name, runPath(taskID, runID)+pathOf("/artifacts/", name)), taskID, name)
}

func (q *queue) GetLatestArtifact(ctx context.Context, taskID, name string) (*ArtifactContent, error) {
	return q.redirect(ctx, artifactCall("getLatestArtifact", taskID, name, pathOf("/task/", taskID, "/artifacts/", name)), taskID, name)
}

func (q *queue) Artifact(ctx context.Context, taskID string, runID int, name string) (*ArtifactContent, error) {
	return q.contentOf(ctx, artifactCall("artifact", taskID, name, runPath(taskID, runID)+pathOf("/artifact-content/", name)))
}

func (q *queue) LatestArtifact(ctx context.Context, taskID, name string) (*ArtifactContent, error) {
	return q.contentOf(ctx, artifactCall("latestArtifact", taskID, name, pathOf("/task/", taskID, "/artifact-content/", name)))
}

func (q *queue) contentOf(ctx context.Context, k call) (*ArtifactContent, error) {
	result := new(ArtifactContent)
	k.result = result
	if _, err := q.do(ctx, k); err != nil {
		return nil, err
	}
	return result, nil
}

func runPath(taskID string, runID int) string { return pathOf("/task/", taskID, "/runs/", itoa(runID)) }

func artifactCall(name, taskID, artifact, path string) call {
	return call{service: "queue", name: name, subject: taskID + " " + artifact, method: http.MethodGet, path: path}
}

// redirect makes a call that answers with a redirect to the content of an artifact.
func (c *caller) redirect(ctx context.Context, k call, taskID, name string) (*ArtifactContent, error) {
	a, err := c.do(ctx, k)
	if api := (*Error)(nil); errors.As(err, &api) && api.StatusCode == http.StatusFailedDependency {
		return nil, &ArtifactError{TaskID: taskID, Name: name, Reason: api.reason, Message: api.Message}
	}
	if err != nil {
		return nil, err
	}
	if a.location == "" {
		return nil, &Error{Call: k.service + "." + k.name, Subject: k.subject, StatusCode: a.status, Message: "the answer does not say where the artifact is"}
	}
	return &ArtifactContent{StorageType: a.header.Get("X-Taskcluster-Artifact-Storage-Type"), URL: a.location}, nil
}

func (q *queue) CreateArtifact(ctx context.Context, taskID string, runID int, name string, request *CreateArtifactRequest) (*CreateArtifactResponse, error) {
	result := new(CreateArtifactResponse)
	k := artifactCall("createArtifact", taskID, name, runPath(taskID, runID)+pathOf("/artifacts/", name))
	k.method, k.body, k.result = http.MethodPost, request, result
	if _, err := q.do(ctx, k); err != nil {
		return nil, err
	}
	return result, nil
}

func (q *queue) FinishArtifact(ctx context.Context, taskID string, runID int, name, uploadID string) error {
	k := artifactCall("finishArtifact", taskID, name, runPath(taskID, runID)+pathOf("/artifacts/", name))
	k.method, k.body = http.MethodPut, map[string]string{"uploadId": uploadID}
	_, err := q.do(ctx, k)
	return err
}
