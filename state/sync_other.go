//go:build !unix

package state

// syncDir does nothing: folders cannot be synced here, and the file system's journal keeps renames in order.
func syncDir(string) error { return nil }
