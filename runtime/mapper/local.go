package mapper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pin"
)

// local is a planned file of this computer.
type local struct {
	plan job.File
	path string
}

// localPath is the path of a file URL.
func localPath(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", fmt.Errorf("the URL of a file makes no sense: %w", err)
	}
	if u.Scheme != "file" {
		return "", fmt.Errorf("files are read from file:, s3: and https: URLs; %q is a scheme that this version of tafc cannot fetch from", u.Scheme)
	}
	if u.Host != "" && u.Host != "localhost" || u.Path == "" {
		return "", fmt.Errorf("%q names no file of this computer: write file:///path", raw)
	}
	path := u.Path
	if runtime.GOOS == "windows" && len(path) > 2 && path[0] == '/' && path[2] == ':' {
		path = path[1:]
	}
	return filepath.FromSlash(path), nil
}

func (l *local) open(_ context.Context, at int64) (io.ReadCloser, error) {
	// A pipe would wait for a writer, so the kind of file is looked at before it is opened.
	fi, err := os.Stat(l.path)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, fail(job.CauseDownload, fmt.Sprintf("%s is not a file but a %s", l.path, kind(fi.Mode()))).at(job.Place{File: l.plan.Key})
	}
	f, err := os.Open(l.path)
	if err != nil {
		return nil, err
	}
	if fi, err = f.Stat(); err == nil {
		err = l.compare(fi)
	}
	if err == nil && at > 0 {
		_, err = f.Seek(at, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "folder"
	case m&fs.ModeNamedPipe != 0:
		return "pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}

// compare checks a file against the plan.
func (l *local) compare(fi fs.FileInfo) error {
	planned, found := fmt.Sprintf("%d bytes", l.plan.Size), fmt.Sprintf("%d bytes", fi.Size())
	same := l.plan.Size < 0 || l.plan.Size == fi.Size()
	if pin.IsFile(l.plan.ETag, l.plan.Size) && pin.ETag(fi) != l.plan.ETag {
		same = false
		planned += ", entity tag " + l.plan.ETag
		found += ", entity tag " + pin.ETag(fi)
	}
	if same {
		return nil
	}
	e := fail(job.CauseDrifted, fmt.Sprintf("file %s is not the one that was planned: planned %s, found %s", l.plan.Key, planned, found)).at(job.Place{File: l.plan.Key})
	e.Hint = "plan again, so that the plan knows the file as it is now"
	return e
}

// drifted checks again that the file under the path is the one that was planned.
func (l *local) drifted(bool) error {
	fi, err := os.Stat(l.path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			e := fail(job.CauseDrifted, fmt.Sprintf("file %s went away while it was read", l.plan.Key)).at(job.Place{File: l.plan.Key})
			e.Hint = "plan again, so that the plan knows the files as they are now"
			return e
		}
		return nil
	}
	return l.compare(fi)
}

// lost says what the last failed attempt means.
func (l *local) lost(err error, _ int) *failure {
	message, hint := fmt.Sprintf("file %s cannot be read: %v", l.plan.Key, reason(err)), "check the disk, or plan again"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		message = fmt.Sprintf("file %s is missing: there is no %s, though it was planned with %d bytes", l.plan.Key, l.path, l.plan.Size)
		hint = "put the file back, or plan again so that it is left out; tolerate { bad_files = … } lets a task go on without"
	case errors.Is(err, fs.ErrPermission):
		hint = "allow this user to read " + l.path
	}
	e := fail(job.CauseDownload, message).at(job.Place{File: l.plan.Key})
	e.Hint = hint
	return e
}

// reason is an error without the path that its message has anyway.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
