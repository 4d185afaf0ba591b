// Package taskcluster is a client for the services of Taskcluster, as far as tafc uses them: queue, index, auth, secrets, notify and object.
//
// [New] makes a [Client] of a [Config], which [Config.WithEnv] completes from the environment. Its fields are the services; methods have
// the names of the official Go client:
//
//	client, err := taskcluster.New(config)
//	status, err := client.Queue.CreateTask(ctx, taskID, &definition)
//	status.LatestCompleted()
//
// Calls are signed (package hawk) with each try anew, unless they go through the proxy of a task, and tried again when there is no answer or
// it is 429 or 5xx ([Retry]). Other failures are an [Error], with the code that the service gave and the scopes that were missing; the
// body of a request is in none of them. Bodies that the services cannot take are refused before they are sent.
//
// Deployments from v44 on work. What came later ([Client.Features] reads it from the deployment's own references) is done with the
// calls that there are: batches become single calls, a few at a time.
//
// The package knows nothing of analyses; package engine/taskcluster does. docs/decisions/0023-taskcluster-client.md tells why it is ours.
package taskcluster
