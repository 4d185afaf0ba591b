// Package worker is a worker for the double of Taskcluster in package tctest: it claims the tasks of a queue and really runs them, as
// generic-worker v106 does. Docker-style payloads run in containers when a Docker daemon answers, and else as processes of this computer,
// which have no image: what they start must be there (Options.Path), and the paths of their artifacts are folders of their own.
// Native payloads run as processes in a folder with their mounts.
//
// Logs, artifacts and the ends of runs are those of the facts about Taskcluster: a docker-style task completes although an artifact is
// missing, a native one fails; what runs too long has failed; exit codes that the payload names are tried again.
package worker
