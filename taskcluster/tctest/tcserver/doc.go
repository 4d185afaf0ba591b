// Command tcserver starts the double of Taskcluster by hand, for trying out tafc without a deployment:
//
//	go run ./taskcluster/tctest/tcserver -env /tmp/tc.env -v
//
// and in another terminal
//
//	. /tmp/tc.env
//
// It runs until it is interrupted, and keeps nothing.
package main
