package worker

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tafc/tafc/taskcluster"
)

// taskLog is the log of a run. Who reads it follows what is still written.
type taskLog struct {
	mu     sync.Mutex
	file   *os.File
	size   int64
	closed bool
	more   chan struct{} // closed when something happens
}

func newTaskLog(path string) (*taskLog, error) {
	f, err := os.Create(path)
	return &taskLog{file: f, more: make(chan struct{})}, err
}

func (l *taskLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, os.ErrClosed
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	close(l.more)
	l.more = make(chan struct{})
	return n, err
}

// say writes a line of the worker's own.
func (l *taskLog) say(format string, args ...any) {
	_, _ = fmt.Fprintf(l, "[taskcluster %s] "+format+"\n", append([]any{time.Now().UTC().Format("2006-01-02T15:04:05.000Z")}, args...)...)
}

func (l *taskLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		_ = l.file.Close()
		close(l.more)
		l.more = make(chan struct{})
	}
}

// follow copies the log as it grows, until it is closed.
func (l *taskLog) follow(ctx context.Context, w http.ResponseWriter) {
	f, err := os.Open(l.file.Name())
	if err != nil {
		http.Error(w, "gone", http.StatusNotFound)
		return
	}
	defer f.Close()
	for at := int64(0); ; {
		l.mu.Lock()
		size, closed, more := l.size, l.closed, l.more
		l.mu.Unlock()
		if at < size {
			n, err := io.CopyN(w, f, size-at)
			at += n
			if err != nil {
				return
			}
			if flusher, ok := w.(http.Flusher); ok {
				flusher.Flush()
			}
			continue
		}
		if closed {
			return
		}
		select {
		case <-more:
		case <-ctx.Done():
			return
		}
	}
}

func newLiveLogs() *liveLogs {
	l := &liveLogs{byName: map[string]*taskLog{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return l
	}
	l.url = "http://" + listener.Addr().String()
	l.server = &http.Server{Handler: l, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = l.server.Serve(listener) }()
	return l
}

func (l *liveLogs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	log := l.byName[r.URL.Path]
	l.mu.Unlock()
	if log == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	log.follow(r.Context(), w)
}

func (l *liveLogs) close() {
	if l.server != nil {
		_ = l.server.Close()
	}
}

// live makes the artifact by which people follow the log of a task that runs.
func (r *run) live(j *work) {
	name := "/" + filepath.Base(r.dir)
	r.w.logs.mu.Lock()
	r.w.logs.byName[name] = r.log
	r.w.logs.mu.Unlock()
	expires := taskcluster.At(time.Now().Add(j.maxRunTime + 15*time.Minute))
	if expires.After(r.def.Expires.Time) {
		expires = r.def.Expires
	}
	_, err := r.client().Worker.CreateArtifact(r.ctx, r.taskID, r.runID, j.live, &taskcluster.CreateArtifactRequest{
		StorageType: taskcluster.StorageReference, Expires: expires,
		ContentType: "text/plain; charset=utf-8", URL: r.w.logs.url + name,
	})
	if err != nil && r.ctx.Err() == nil {
		r.log.say("live log: %v", err)
	}
}

// finish keeps the log, to which the name of the live log then leads.
func (r *run) finish(j *work, v verdict) verdict {
	r.log.say("%s", v.text)
	r.log.close()
	if !j.logs || r.ctx.Err() != nil {
		return v
	}
	log := artifact{name: j.backing, mime: "text/plain; charset=utf-8", encoding: "gzip"}
	if err := r.upload(r.ctx, log, j.backing, r.log.file.Name()); err != nil {
		r.w.o.Log("%s: log of %s: %v", r.w.id, r.taskID, err)
		return v
	}
	_, err := r.client().Worker.CreateArtifact(r.ctx, r.taskID, r.runID, j.live, &taskcluster.CreateArtifactRequest{
		StorageType: taskcluster.StorageLink, Expires: r.def.Expires, ContentType: "text/plain; charset=utf-8", Artifact: j.backing,
	})
	if err != nil && r.ctx.Err() == nil {
		r.w.o.Log("%s: live log of %s: %v", r.w.id, r.taskID, err)
	}
	return v
}
