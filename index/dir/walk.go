package dir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"
)

// file is what the walk finds of one file.
type file struct {
	key   string
	size  int64
	mtime int64 // Unix time in nanoseconds
}

func (f file) appendETag(to []byte) []byte {
	to = strconv.AppendUint(to, uint64(f.mtime), 16)
	to = append(to, '-')
	return strconv.AppendInt(to, f.size, 16)
}

// walker walks a folder with several goroutines: listing waits for the disk or the network more than it computes. Measured on two
// cores with everything in memory it is a fifth faster than one goroutine.
type walker struct {
	root  string
	group *errgroup.Group

	mu    sync.Mutex
	files []file
}

// folder is one that is being walked, with those that it lies in.
type folder struct {
	key    string // with a slash at the end, empty for the root
	info   fs.FileInfo
	parent *folder
}

// walk returns all files below root, in no order.
func walk(ctx context.Context, root string) ([]file, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(4, 2*runtime.GOMAXPROCS(0)))
	w := &walker{root: root, group: group}
	group.Go(func() error { return w.folder(ctx, &folder{info: info}) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return w.files, nil
}

// folder lists one folder and what is below it: in other goroutines as long as there are free ones, else in its own.
func (w *walker) folder(ctx context.Context, dir *folder) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path := filepath.Join(w.root, filepath.FromSlash(dir.key))
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	var files []file
	for _, entry := range entries {
		if hidden(entry.Name()) {
			continue
		}
		info, err := stat(path, entry)
		if err != nil {
			return err
		}
		switch {
		case info == nil:
		case info.IsDir():
			sub := &folder{key: dir.key + entry.Name() + "/", info: info, parent: dir}
			if sub.loops() {
				continue
			}
			if w.group.TryGo(func() error { return w.folder(ctx, sub) }) {
				continue
			}
			if err := w.folder(ctx, sub); err != nil {
				return err
			}
		case info.Mode().IsRegular():
			files = append(files, file{key: dir.key + entry.Name(), size: info.Size(), mtime: info.ModTime().UnixNano()})
		}
	}
	w.mu.Lock()
	w.files = append(w.files, files...)
	w.mu.Unlock()
	return nil
}

// hidden tells whether a name is skipped: it starts with a dot, and not with a dot and a digit.
func hidden(name string) bool {
	return name[0] == '.' && (len(name) == 1 || name[1] < '0' || '9' < name[1])
}

// stat looks at what an entry is, through symbolic links. It is nil for an entry that has gone since the folder was read.
func stat(dir string, entry fs.DirEntry) (fs.FileInfo, error) {
	if entry.Type()&fs.ModeSymlink == 0 {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return info, err
	}
	path := filepath.Join(dir, entry.Name())
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		target, _ := os.Readlink(path)
		return nil, fmt.Errorf("the symbolic link %s points to nothing (%s); remove it or put the file there", path, target)
	}
	return info, err
}

// loops tells whether the folder is one of those that it lies in.
func (f *folder) loops() bool {
	for up := f.parent; up != nil; up = up.parent {
		if os.SameFile(f.info, up.info) {
			return true
		}
	}
	return false
}
