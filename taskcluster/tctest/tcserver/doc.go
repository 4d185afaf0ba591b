// Command tcserver starts the double of Taskcluster by hand, for trying out tafc without a deployment:
//
//	go run ./taskcluster/tctest/tcserver -env /tmp/tc.env -worker proj-taf/ci -containers processes -path FOLDER-OF-TAF-MAPPER
//
// and in another terminal
//
//	. /tmp/tc.env
//	export TAF_QUEUE=proj-taf/ci TAF_IMAGE=any/image@sha256:… TAF_LOCAL_FILES=1 TAF_OWNER=me@example.org TAF_SOURCE=https://example.org/
//	tafc run -engine taskcluster FILE
//
// It runs until it is interrupted, and keeps nothing.
package main
