package worker

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tafc/tafc/taskcluster"
)

// compressed are the extensions of files that are stored as they are.
var compressed = []string{".7z", ".bz2", ".deb", ".dmg", ".flv", ".gif", ".gz", ".jpeg", ".jpg", ".lz", ".lz4", ".mp4", ".npz", ".png", ".rar", ".swf", ".tbz", ".tgz", ".webm", ".webp", ".whl", ".woff", ".woff2", ".xz", ".zip", ".zst", ".zstd"}

// publish stores the artifacts. What it returns is why a native task has failed by that, or nothing.
func (r *run) publish(j *work) (lost string) {
	for _, a := range j.artifacts {
		info, err := os.Stat(a.file)
		if err == nil && (a.kind == "directory") != info.IsDir() {
			err = fmt.Errorf("%s is no %s", a.path, a.kind)
		}
		if err != nil {
			r.log.say("artifact %s is not there: %s", a.name, a.path)
			r.lost(a)
			if !a.optional && lost == "" {
				lost = "required artifact " + a.name + " is missing"
			}
			continue
		}
		if err := r.keep(a, info); err != nil && r.ctx.Err() == nil {
			r.log.say("artifact %s cannot be stored: %v", a.name, err)
			lost = err.Error()
		}
	}
	return lost
}

// lost stores that an artifact is missing.
func (r *run) lost(a artifact) {
	_, err := r.client().Worker.CreateArtifact(r.ctx, r.taskID, r.runID, a.name, &taskcluster.CreateArtifactRequest{
		StorageType: taskcluster.StorageError, Expires: r.until(a), Reason: "file-missing-on-worker",
		Message: fmt.Sprintf("Could not read file '%s': no such file or directory", a.path),
	})
	if err != nil {
		r.log.say("artifact %s: %v", a.name, err)
	}
}

func (r *run) until(a artifact) taskcluster.Time {
	if a.expires.IsZero() {
		return r.def.Expires
	}
	return a.expires
}

// keep stores a file, or all files of a folder.
func (r *run) keep(a artifact, info fs.FileInfo) error {
	if !info.IsDir() {
		return r.upload(r.ctx, a, a.name, a.file)
	}
	return filepath.WalkDir(a.file, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(a.file, file)
		if err != nil {
			return err
		}
		return r.upload(r.ctx, a, path.Join(a.name, filepath.ToSlash(rel)), file)
	})
}

// upload stores one file, compressed unless its name says that it is already.
func (r *run) upload(ctx context.Context, a artifact, name, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	kind := a.mime
	if kind == "" {
		if kind = mime.TypeByExtension(filepath.Ext(name)); kind == "" {
			kind = "application/octet-stream"
		}
		if strings.HasSuffix(name, ".log") {
			kind = "text/plain; charset=utf-8"
		}
	}
	encoding := a.encoding
	if encoding == "" {
		encoding = "gzip"
		if slices.Contains(compressed, strings.ToLower(filepath.Ext(name))) {
			encoding = "identity"
		}
	}
	if encoding == "gzip" {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write(data); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		data = packed.Bytes()
	}
	at, err := r.client().Worker.CreateArtifact(ctx, r.taskID, r.runID, name, &taskcluster.CreateArtifactRequest{
		StorageType: taskcluster.StorageS3, Expires: r.until(a), ContentType: kind,
	})
	if err != nil {
		return err
	}
	return put(ctx, at.PutURL, kind, encoding, data)
}

// put puts a content where the queue said, more than once when it must.
func put(ctx context.Context, url, kind, encoding string, data []byte) error {
	var last error
	for attempt := range 5 {
		if attempt > 0 {
			time.Sleep(100 * time.Millisecond << attempt)
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(data))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", kind)
		if encoding != "identity" {
			request.Header.Set("Content-Encoding", encoding)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			last = err
			continue
		}
		response.Body.Close()
		if response.StatusCode < 300 {
			return nil
		}
		last = errors.New("the store answers " + response.Status)
	}
	return last
}
