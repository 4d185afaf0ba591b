// Package container talks to Docker and Podman through their command-line programs: it builds, fetches and pushes images, and says how a
// container is started, looked at and removed. The programs know what an API client would have to learn again: contexts, credentials,
// BuildKit, Podman without any daemon (docs/decisions).
package container
