package main

import "golang.org/x/sys/unix"

// setETag says what the ETag of a file in a bucket is, as versitygw keeps it.
func setETag(path, etag string) error { return unix.Setxattr(path, "user.etag", []byte(etag), 0) }
