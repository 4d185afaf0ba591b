package index

import "context"

// FolderLister is a Source that can list some of its folders.
type FolderLister interface {
	Source

	// ScanPrefix calls fn for every file whose key begins with prefix, in key order.
	ScanPrefix(ctx context.Context, prefix string, fn func(File) error) error

	// ScanFolders calls fn for every file of the folders that visit does not leave out, in any order, never two calls at a time.
	// Visit is asked about the folders in a folder that it wants to look into, with a slash at their end, beginning with those of the root.
	ScanFolders(ctx context.Context, visit func(folder string) Visit, fn func(File) error) error
}

// Visit says what a listing does with a folder.
type Visit int

// The ways to visit a folder.
const (
	VisitAll    Visit = iota // list everything in it
	VisitInside              // list its own files, and ask about the folders in it
	VisitNot                 // leave it out
)

// Folder is what a listing found out about the files of a folder, without those of the folders in it. Times are Unix times in seconds.
type Folder struct {
	Newest int64 // when the file that was stored last was stored
	Listed int64 // when the listing began
}
