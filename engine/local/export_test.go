package local

import "github.com/tafc/tafc/internal/container"

// Share lets tasks in containers write a folder that is not theirs.
func Share(o Options, folder string) Options {
	o.mounts = append(o.mounts, container.Mount{Path: folder, Writable: true})
	return o
}

// Small lets containers have less memory than usual.
func Small(o Options, bytes int64) Options {
	o.least = bytes
	return o
}
