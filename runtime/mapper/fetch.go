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
	"time"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pin"
)

// fetched reads one planned file. A read that fails is repeated from where it stopped, as often as the policy says.
type fetched struct {
	ctx      context.Context
	plan     job.File
	path     string
	policy   job.Download
	f        *os.File
	at       int64 // bytes read
	counted  int64 // of them in the ledger
	attempts int   // that failed
	spent    time.Duration
}

// fetch opens a planned file and checks that it is the one that was planned.
func fetch(ctx context.Context, plan job.File, policy job.Download) (*fetched, error) {
	path, err := localPath(plan.URL)
	if err != nil {
		return nil, fail(job.CauseBadSpec, err.Error()).at(job.Place{File: plan.Key})
	}
	r := &fetched{ctx: ctx, plan: plan, path: path, policy: policy}
	for {
		err := r.open()
		if err == nil {
			return r, nil
		}
		if stop := r.again(err); stop != nil {
			return nil, stop
		}
	}
}

// localPath is the path of a file URL.
func localPath(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", fmt.Errorf("the URL of a file makes no sense: %w", err)
	}
	if u.Scheme != "file" {
		return "", fmt.Errorf("files are read from file: URLs; %q is a scheme that this version of tafc cannot fetch from", u.Scheme)
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

func (r *fetched) open() error {
	// A pipe would wait for a writer, so the kind of file is looked at before it is opened.
	fi, err := os.Stat(r.path)
	if err != nil {
		return err
	}
	if !fi.Mode().IsRegular() {
		return fail(job.CauseDownload, fmt.Sprintf("%s is not a file but a %s", r.path, kind(fi.Mode()))).at(job.Place{File: r.plan.Key})
	}
	f, err := os.Open(r.path)
	if err != nil {
		return err
	}
	if fi, err = f.Stat(); err == nil {
		err = r.compare(fi)
	}
	if err == nil && r.at > 0 {
		_, err = f.Seek(r.at, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return err
	}
	r.f = f
	return nil
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
func (r *fetched) compare(fi fs.FileInfo) error {
	planned, found := fmt.Sprintf("%d bytes", r.plan.Size), fmt.Sprintf("%d bytes", fi.Size())
	same := r.plan.Size < 0 || r.plan.Size == fi.Size()
	if pin.IsFile(r.plan.ETag, r.plan.Size) && pin.ETag(fi) != r.plan.ETag {
		same = false
		planned += ", entity tag " + r.plan.ETag
		found += ", entity tag " + pin.ETag(fi)
	}
	if same {
		return nil
	}
	e := fail(job.CauseDrifted, fmt.Sprintf("file %s is not the one that was planned: planned %s, found %s", r.plan.Key, planned, found)).at(job.Place{File: r.plan.Key})
	e.Hint = "plan again, so that the plan knows the file as it is now"
	return e
}

// drifted checks again that the file under the path is the one that was planned.
func (r *fetched) drifted() error {
	fi, err := os.Stat(r.path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			e := fail(job.CauseDrifted, fmt.Sprintf("file %s went away while it was read", r.plan.Key)).at(job.Place{File: r.plan.Key})
			e.Hint = "plan again, so that the plan knows the files as they are now"
			return e
		}
		return nil
	}
	return r.compare(fi)
}

// again decides what follows a failed attempt: nil, to try again, or the error that ends it.
func (r *fetched) again(err error) error {
	var final *failure
	if errors.As(err, &final) {
		return final
	}
	r.attempts++
	if r.attempts < r.policy.Attempts {
		select {
		case <-time.After(min(100*time.Millisecond<<min(r.attempts, 6), 5*time.Second)):
			return nil
		case <-r.ctx.Done():
			return context.Cause(r.ctx)
		}
	}
	message, hint := fmt.Sprintf("file %s cannot be read: %v", r.plan.Key, reason(err)), "check the disk, or plan again"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		message = fmt.Sprintf("file %s is missing: there is no %s, though it was planned with %d bytes", r.plan.Key, r.path, r.plan.Size)
		hint = "put the file back, or plan again so that it is left out; tolerate { bad_files = … } lets a task go on without"
	case errors.Is(err, fs.ErrPermission):
		hint = "allow this user to read " + r.path
	}
	e := fail(job.CauseDownload, message).at(job.Place{File: r.plan.Key})
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

// Read reads on, over failed attempts.
func (r *fetched) Read(p []byte) (int, error) {
	began := time.Now()
	defer func() { r.spent += time.Since(began) }()
	for {
		if r.ctx.Err() != nil {
			return 0, context.Cause(r.ctx)
		}
		n, err := r.f.Read(p)
		r.at += int64(n)
		if n > 0 || err == io.EOF {
			if n > 0 {
				err = nil
			}
			return n, err
		}
		if err == nil {
			continue
		}
		r.f.Close()
		for err != nil {
			if stop := r.again(err); stop != nil {
				return 0, stop
			}
			err = r.open()
		}
	}
}

// Close closes the file.
func (r *fetched) Close() error { return r.f.Close() }
