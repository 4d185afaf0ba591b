package local

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/tafc/tafc/internal/atomicfile"
	"github.com/tafc/tafc/internal/container"
	"github.com/tafc/tafc/runtime/job"
)

// contained is an attempt that is to run in a container.
type contained struct {
	box     *box
	name    string
	args    []string // of the tool
	env     []byte   // goes to standard input first: variables that nobody else may see
	said    *os.File // where its progress comes from
	pipe    string   // path of that
	limit   int64    // of memory, bytes
	network container.Network
}

// containerFile says in an attempt's folder what it ran in, for replays.
const containerFile = "container.json"

// ranIn is what containerFile says.
type ranIn struct {
	Tool  string `json:"tool"`
	Ref   string `json:"ref"`
	Image string `json:"image"` // ID
	CPUs  int    `json:"cpus"`
}

// contain prepares an attempt in its folder, which has its spec.json. The label with the folder of the state is for finding what is left.
func (b *box) contain(spec *job.Spec, dir, label, state string, cpus int, secrets map[string]string, more []container.Mount) (*contained, error) {
	c := &contained{box: b, name: containerName(dir), limit: memory(spec.Limits, b.least), network: network(spec, os.Getenv)}
	vars := maps.Clone(secrets)
	if vars == nil {
		vars = map[string]string{}
	}
	mounts := append(without(mounts(spec, dir), more), more...)
	if c.network != container.NoNetwork {
		files := forward(spec, os.Environ(), vars)
		for _, path := range files {
			mounts = append(mounts, container.Mount{Path: path})
		}
	}
	var err error
	if c.env, err = json.Marshal(vars); err != nil {
		return nil, err
	}
	c.env = append(c.env, '\n')
	if b.mapper != "" {
		mounts = append(mounts, container.Mount{Path: b.program, From: b.mapper})
	}
	if err := writeRanIn(dir, ranIn{b.tool.Name, b.ref, b.image, cpus}); err != nil {
		return nil, err
	}
	c.pipe = filepath.Join(dir, "progress")
	if c.said, err = makePipe(c.pipe); err != nil {
		return nil, fmt.Errorf("make a pipe for progress: %w", err)
	}
	temp := filepath.Join(dir, "temp") // the task makes it, on disk: /tmp is memory
	c.args = b.tool.RunArgs(container.Run{
		Name: c.name, Image: b.image, Program: b.program, Args: append(b.args[:len(b.args):len(b.args)], filepath.Join(dir, "spec.json")), Dir: dir,
		Labels: map[string]string{label: state, "org.tafc.task": spec.Task}, Mounts: mounts, Network: c.network, Memory: c.limit, CPUs: max(cpus, 1),
		Env: []string{"TAFC_LIFELINE=1", "TAFC_STDIN_ENV=1", "TAFC_PROGRESS_FD=" + c.pipe, markVariable + "=" + dir, "HOME=/tmp", "TMPDIR=" + temp},
	})
	return c, nil
}

// containerName is the name of the container of an attempt.
func containerName(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return "tafc-" + hex.EncodeToString(sum[:8])
}

// forward adds what reaches remote files to the variables: proxies and the credentials of AWS. It returns files that these lead to.
func forward(spec *job.Spec, environ []string, vars map[string]string) (files []string) {
	s3 := false
	for _, f := range spec.Files {
		s3 = s3 || strings.HasPrefix(f.URL, "s3:")
	}
	env := map[string]string{}
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		env[name] = value
		upper := strings.ToUpper(name)
		proxy := upper == "HTTP_PROXY" || upper == "HTTPS_PROXY" || upper == "NO_PROXY" || upper == "ALL_PROXY"
		if proxy || s3 && strings.HasPrefix(name, "AWS_") {
			if _, given := vars[name]; !given {
				vars[name] = value
			}
		}
	}
	if !s3 {
		return nil
	}
	for name, usual := range map[string]string{"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"} {
		path := env[name]
		if path == "" && env["HOME"] != "" {
			path = filepath.Join(env["HOME"], ".aws", usual)
		}
		if path, err := filepath.Abs(path); err == nil && isFile(path) {
			vars[name] = path
			files = append(files, path)
		}
	}
	if path := env["AWS_WEB_IDENTITY_TOKEN_FILE"]; isFile(path) {
		files = append(files, path)
	}
	return files
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// close ends what stands on this side of a container that has ended.
func (c *contained) close() {
	c.said.Close()
	_ = os.Remove(c.pipe)
}

func writeRanIn(dir string, r ranIn) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(dir, containerFile), append(text, '\n'), 0o644)
}

// readRanIn is what an attempt ran in; nil when it was a process.
func readRanIn(dir string) (*ranIn, error) {
	text, err := os.ReadFile(filepath.Join(dir, containerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := new(ranIn)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, containerFile), err)
	}
	return r, nil
}
