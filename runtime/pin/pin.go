package pin

import (
	"fmt"
	"io/fs"
	"strings"
)

// ETag is the entity tag of a local file: the modification time in nanoseconds and the size, both in hexadecimal.
func ETag(fi fs.FileInfo) string {
	return fmt.Sprintf("%x-%x", fi.ModTime().UnixNano(), fi.Size())
}

// IsFile tells whether an entity tag of a file of this size was made by ETag. Those of other stores (an S3 multipart
// ETag looks alike) were not, and can be compared with a local file only by size.
func IsFile(etag string, size int64) bool {
	stamp, tail, ok := strings.Cut(strings.TrimPrefix(etag, "-"), "-")
	return ok && stamp != "" && len(stamp) <= 16 && strings.Trim(stamp, "0123456789abcdef") == "" && tail == fmt.Sprintf("%x", size)
}
