package index

import (
	"net/url"
	"path/filepath"
	"strings"
)

// FileURL is the URL of a folder, given its absolute path: percent-encoded, with a slash at the end.
func FileURL(folder string) string {
	path := filepath.ToSlash(folder)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/data
	}
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// FilePath is the path that a file URL stands for, and whether it is one of this computer.
func FilePath(fileURL string) (string, bool) {
	u, err := url.Parse(fileURL)
	if err != nil || u.Scheme != "file" || u.Host != "" && u.Host != "localhost" || u.Path == "" {
		return "", false
	}
	path := u.Path
	if len(path) > 2 && path[0] == '/' && path[2] == ':' && filepath.VolumeName(path[1:]) != "" {
		path = path[1:] // /C:/data
	}
	return filepath.Clean(filepath.FromSlash(path)), true
}
