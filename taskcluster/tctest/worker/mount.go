package worker

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/tafc/tafc/taskcluster"
)

// mount is a file or a folder that a native task finds.
type mount struct {
	File      string   `json:"file"`
	Directory string   `json:"directory"`
	CacheName string   `json:"cacheName"`
	Content   *content `json:"content"`
	Format    string   `json:"format"`
}

// content is where the content of a mount comes from.
type content struct {
	TaskID    string  `json:"taskId"`
	Artifact  string  `json:"artifact"`
	Namespace string  `json:"namespace"`
	URL       string  `json:"url"`
	SHA256    string  `json:"sha256"`
	Raw       *string `json:"raw"`
	Base64    *string `json:"base64"`
}

// mostInline is how many characters a raw or base64 content may have.
const mostInline = 65_536

// check finds what makes a payload malformed.
func (m *mount) check(dependencies []string) error {
	where := m.File + m.Directory
	if (m.File == "") == (m.Directory == "") || !filepath.IsLocal(where) {
		return errors.New("a mount is a file or a directory in the task's folder")
	}
	if m.Content == nil {
		if m.CacheName == "" {
			return fmt.Errorf("the mount %s has no content", where)
		}
		return nil
	}
	if m.Directory != "" && m.Format == "" {
		return fmt.Errorf("the mount %s needs a format", where)
	}
	c := m.Content
	switch {
	case c.TaskID != "" && !slices.Contains(dependencies, c.TaskID):
		return fmt.Errorf("the task %s of the mount %s is not among the dependencies", c.TaskID, where)
	case c.Raw != nil && len(*c.Raw) > mostInline, c.Base64 != nil && len(*c.Base64) > mostInline:
		return fmt.Errorf("the content of the mount %s is longer than %d characters", where, mostInline)
	}
	return nil
}

// mount makes all mounts of a native payload; the verdict is not nil when one fails.
func (r *run) mount(j *work) *verdict {
	for _, m := range j.mounts {
		if err := r.place(m); err != nil {
			r.log.say("mount %s: %v", m.File+m.Directory, err)
			v := failed("mount %s: %v", m.File+m.Directory, err)
			return &v
		}
	}
	return nil
}

func (r *run) place(m mount) error {
	to := filepath.Join(r.dir, filepath.FromSlash(m.File+m.Directory))
	if m.Content == nil {
		return os.MkdirAll(to, 0o755)
	}
	data, err := r.fetch(m.Content)
	if err != nil {
		return err
	}
	if m.Directory != "" {
		return unpack(data, m.Format, to)
	}
	if m.Format != "" {
		plain, err := decompress(bytes.NewReader(data), m.Format)
		if err != nil {
			return err
		}
		if data, err = io.ReadAll(plain); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644) // not executable: commands make it so
}

// fetch gets a content and checks its digest.
func (r *run) fetch(c *content) ([]byte, error) {
	data, err := r.load(c)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); c.SHA256 != "" && got != c.SHA256 {
		return nil, fmt.Errorf("the SHA-256 is %s, not %s", got, c.SHA256)
	}
	return data, nil
}

func (r *run) load(c *content) ([]byte, error) {
	switch {
	case c.Raw != nil:
		return []byte(*c.Raw), nil
	case c.Base64 != nil:
		return base64.StdEncoding.DecodeString(*c.Base64)
	case c.TaskID != "":
		return r.artifact(c.TaskID, c.Artifact)
	case c.Namespace != "":
		found, err := r.client().Index.FindTask(r.ctx, c.Namespace)
		if err != nil {
			return nil, err
		}
		return r.artifact(found.TaskID, c.Artifact)
	}
	return download(r.ctx, c.URL)
}

// artifact reads an artifact of the latest run of a task, as the real worker does.
func (r *run) artifact(taskID, name string) ([]byte, error) {
	at, err := r.client().Queue.GetLatestArtifact(r.ctx, taskID, name)
	if err != nil {
		return nil, err
	}
	body, err := r.client().OpenContent(r.ctx, at)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

func download(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, &taskcluster.Error{Call: "GET", StatusCode: response.StatusCode, Message: response.Status}
	}
	return io.ReadAll(response.Body)
}

// decompress reads what is compressed.
func decompress(r io.Reader, format string) (io.Reader, error) {
	switch strings.TrimPrefix(format, "tar.") {
	case "", "tar":
		return r, nil
	case "gz":
		return gzip.NewReader(r)
	case "bz2":
		return bzip2.NewReader(r), nil
	case "xz":
		return xz.NewReader(r)
	case "zst":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return nil, fmt.Errorf("this double does not know the format %s", format)
}

// unpack makes a folder of an archive.
func unpack(data []byte, format, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if format == "zip" {
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return err
		}
		return os.CopyFS(dir, z)
	}
	plain, err := decompress(bytes.NewReader(data), format)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	t := tar.NewReader(plain)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := filepath.Clean(filepath.FromSlash(h.Name))
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeReg:
			err = unpackFile(root, name, os.FileMode(h.Mode&0o777), t)
		}
		if err != nil {
			return err
		}
	}
}

func unpackFile(root *os.Root, name string, mode os.FileMode, r io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
