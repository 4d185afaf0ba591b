package local

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tafc/tafc/internal/container"
	"github.com/tafc/tafc/runtime/job"
)

// mostMounts is how many folders of one kind are shown in a container one by one.
const mostMounts = 64

// mounts are what a task sees of this computer, under the same paths: its own folder, its code, its input files and the results that it
// reads. Only the first can be written.
func mounts(spec *job.Spec, dir string) []container.Mount {
	var files, parts, code []string
	for _, f := range spec.Files {
		if path, ok := localFile(f.URL); ok {
			files = append(files, path)
		}
	}
	for _, u := range spec.Upstream {
		for _, p := range u.Parts {
			parts = append(parts, p.Path)
		}
	}
	if m := spec.Mend; m != nil {
		if m.Quarantine != nil {
			parts = append(parts, m.Quarantine.Path)
		}
		for _, p := range m.Parts {
			parts = append(parts, p.Path)
		}
	}
	if spec.Code != nil {
		code = append(code, spec.Code.Dir)
	}
	paths := slices.Concat(code, shown(files), shown(parts))
	slices.Sort(paths)
	out := []container.Mount{{Path: dir, Writable: true}}
	for _, path := range slices.Compact(paths) {
		if _, err := os.Stat(path); err == nil { // the task says what is missing
			out = append(out, container.Mount{Path: path})
		}
	}
	return out
}

// without leaves out mounts that lie in one of others.
func without(mounts, others []container.Mount) []container.Mount {
	return slices.DeleteFunc(mounts, func(m container.Mount) bool {
		return slices.ContainsFunc(others, func(o container.Mount) bool {
			return m.Path == o.Path || strings.HasPrefix(m.Path, o.Path+"/") && (o.Writable || !m.Writable)
		})
	})
}

// localFile is the path of a file URL.
func localFile(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "file" {
		return "", false
	}
	return filepath.FromSlash(u.Path), true
}

// shown are the paths that show all these files: their folders, also those that symbolic links lead to, or when there are many, what
// those have in common. Files in folders that images have themselves are shown one by one.
func shown(files []string) []string {
	folders := map[string]bool{}
	var single []string
	for _, file := range files {
		for _, path := range linked(file) {
			if ofImages(filepath.Dir(path)) {
				single = append(single, path)
				continue
			}
			folders[filepath.Dir(path)] = true
		}
	}
	out := make([]string, 0, len(folders))
	for f := range folders {
		out = append(out, f)
	}
	if len(out) > mostMounts {
		if top := common(out); !ofImages(top) {
			out = []string{top}
		}
	}
	return append(out, single...)
}

// linked is a path and those that it leads to when it is a symbolic link.
func linked(path string) []string {
	out := []string{path}
	for range 40 { // as many as Linux follows
		to, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
		out = append(out, path)
	}
	return out
}

// ofImages tells whether a folder must not be covered because an image needs what it has there.
func ofImages(folder string) bool {
	first, rest, _ := strings.Cut(strings.TrimPrefix(filepath.ToSlash(folder), "/"), "/")
	switch first {
	case "", "bin", "sbin", "lib", "lib32", "lib64", "usr", "etc", "proc", "sys", "dev", "run":
		return true
	case "tmp", "var", "opt":
		return rest == ""
	}
	return false
}

// common is the longest path that all have in common.
func common(paths []string) string {
	top := paths[0]
	for _, p := range paths[1:] {
		for p != top && !strings.HasPrefix(p, strings.TrimSuffix(top, "/")+"/") {
			top = filepath.Dir(top)
		}
	}
	return top
}

// network is what a task must reach: nothing, unless its files are remote. Servers of this computer answer on its own network only.
func network(spec *job.Spec, getenv func(string) string) container.Network {
	out := container.NoNetwork
	for _, f := range spec.Files {
		u, err := url.Parse(f.URL)
		if err != nil || u.Scheme == "file" {
			continue
		}
		host := u.Hostname()
		if u.Scheme == "s3" {
			host = endpointHost(spec, getenv)
		}
		if loopback(host) {
			return container.SharedNetwork
		}
		out = container.OwnNetwork
	}
	return out
}

// endpointHost is the host of the S3 server, empty for AWS.
func endpointHost(spec *job.Spec, getenv func(string) string) string {
	endpoints := []string{getenv("AWS_ENDPOINT_URL_S3"), getenv("AWS_ENDPOINT_URL")}
	if spec.S3 != nil {
		endpoints = append([]string{spec.S3.Endpoint}, endpoints...)
	}
	for _, e := range endpoints {
		if u, err := url.Parse(e); err == nil && e != "" {
			return u.Hostname()
		}
	}
	return ""
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
