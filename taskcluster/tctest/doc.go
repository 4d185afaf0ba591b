// Package tctest is a double of Taskcluster for tests: auth, queue, index, secrets, notify and as much of object as artifacts need,
// served over HTTP on loopback. It keeps the rules that programs stumble over: signatures and their window of time, scopes and roles,
// the order of checks, repeated and conflicting createTask calls, dependencies, groups, retries, deadlines, and artifacts in all
// their kinds. It is written from the facts about Taskcluster and checked against recorded exchanges, not against tafc's own client,
// so that the two cannot agree on the same mistake.
//
//	s := tctest.New(t, tctest.Options{Version: 106})
//	creds := s.Credentials("queue:create-task:lowest:proj-taf/ci", …)   // or s.Admin()
//	cmd.Env = append(os.Environ(), s.Env(creds)...)
//
// Time is a [Clock] that a test can move. What a worker would do is done by a real one ([Server.RootURL] is all that it needs), by a
// function for each run of a queue ([Server.Handle]), or by hand ([Server.Complete], [Server.Fail], [Server.Exception]).
// Faults of the network and of the services are asked for with [Server.Inject], calls are counted with [Server.Calls].
// [Server.Proxy] is the taskcluster-proxy of one run.
package tctest
