// Package cgroup makes control groups with a memory limit, so that tests and benchmarks run programs that the kernel kills when they take more.
// Only what they need of both versions of control groups is here. On other systems than Linux there are none.
package cgroup
