package taskcluster

import (
	"strconv"
	"strings"
)

// Links are addresses of the deployment's pages, for people.
type Links struct{ root string }

// Links are the pages of the deployment.
func (c *Client) Links() Links { return Links{c.rootURL} }

// LinksTo are the pages of a deployment without a client for it.
func LinksTo(rootURL string) Links { return Links{strings.TrimRight(rootURL, "/")} }

// Task is the page of a task.
func (l Links) Task(taskID string) string { return l.root + pathOf("/tasks/", taskID) }

// Run is the page of a run.
func (l Links) Run(taskID string, runID int) string {
	return l.root + pathOf("/tasks/", taskID, "/runs/", strconv.Itoa(runID))
}

// Log is the log of a run, as it grows or as it was.
func (l Links) Log(taskID string, runID int, artifact string, live bool) string {
	path := "/logs/"
	if live {
		path = "/logs/live/"
	}
	return l.Run(taskID, runID) + path + artifact
}

// Group is the page of a task group.
func (l Links) Group(taskGroupID string) string {
	return l.root + pathOf("/tasks/groups/", taskGroupID)
}

// Artifact is the address of the content of an artifact, of those that need no credentials.
func (l Links) Artifact(taskID string, runID int, name string) string {
	return l.root + "/api/queue/v1" + pathOf("/task/", taskID, "/runs/", strconv.Itoa(runID), "/artifacts/", name)
}

// Queue is the page of a task queue's workers.
func (l Links) Queue(provisionerID, workerType string) string {
	return l.root + pathOf("/provisioners/", provisionerID, "/worker-types/", workerType)
}
