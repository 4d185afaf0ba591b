package index

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// populate has the kernel supply the pages of a slice that is going to be filled, in one call instead of a fault for each. In virtual
// machines faults are a large part of what reading an index costs. A kernel that cannot (before 5.14) supplies them as they are used.
func populate[T any](slice []T) {
	slice = slice[:cap(slice)]
	page := uintptr(os.Getpagesize())
	first := uintptr(unsafe.Pointer(unsafe.SliceData(slice)))
	size := uintptr(len(slice)) * unsafe.Sizeof(slice[0])
	skip := -first & (page - 1)
	if size < skip+page {
		return
	}
	inner := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(slice))), size)[skip:]
	_ = unix.Madvise(inner[:uintptr(len(inner))&^(page-1)], unix.MADV_POPULATE_WRITE)
}
