// Package taskcluster carries out runs as task graphs on a Taskcluster deployment.
//
// [Lower] makes the definitions of the tasks, without looking at anything but its arguments. [Engine] checks what it can before the first
// task is created (preflight), creates them, watches them, and records what they leave in the state. A run belongs to the deployment once it
// was created: it goes on when tafc ends, and the next apply takes it up again. docs/taskcluster.md tells users, and
// docs/decisions has why it is so.
package taskcluster
