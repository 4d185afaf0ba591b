package agent

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/taskcluster"
)

// services are those of the deployment that runs the task, through its proxy: calls are made in the name of the task.
func (a *agent) services() (*taskcluster.Client, error) {
	if a.tc != nil {
		return a.tc, nil
	}
	proxy := os.Getenv(taskcluster.EnvProxyURL)
	if proxy == "" {
		return nil, &Failure{
			Cause:   job.CauseBadSpec,
			Message: "this task must talk to Taskcluster, and its worker gives it no proxy: " + taskcluster.EnvProxyURL + " is not set",
			Hint:    "the task asks for features.taskclusterProxy; workers leave it away, without a word, when their pool does not allow it: ask the administrators of the pool",
		}
	}
	tc, err := taskcluster.New(taskcluster.Config{ProxyURL: proxy, RootURL: os.Getenv(taskcluster.EnvRootURL), UserAgent: "taf-mapper"})
	if err != nil {
		return nil, &Failure{Cause: job.CauseBadSpec, Message: err.Error()}
	}
	a.tc = tc
	return tc, nil
}

// refused makes a Failure of an error of Taskcluster. what is what could not be had.
func refused(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	f := &Failure{Cause: job.CauseDownload, Message: fmt.Sprintf("%s cannot be had: %v", what, err)}
	var api *taskcluster.Error
	var artifact *taskcluster.ArtifactError
	switch {
	case errors.As(err, &artifact):
		f.Hint = "the task that should have made it has lost it: run that task again"
	case taskcluster.HasCode(err, taskcluster.CodeInsufficientScopes, taskcluster.CodeAuthenticationFailed):
		f.Cause = job.CauseBadSpec
		f.Hint = "give the task the scope that is missing, or plan and apply again: tafc adds the scopes that it knows of"
	case taskcluster.IsNotFound(err):
		f.Hint = "it has expired, or its name is wrong; plan again, so that what is gone is made anew"
	case errors.As(err, &api):
		f.Hint = "look at the state of the deployment, then run the task again"
	}
	return f
}
