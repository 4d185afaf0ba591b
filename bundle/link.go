package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// maxLinks is how many symbolic links one path may go through; more are taken for a loop.
const maxLinks = 40

var errOutside = errors.New("leaves the folder of the analysis")

func isOutside(err error) bool { return errors.Is(err, errOutside) }
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid)
}

// resolve is the path with all symbolic links replaced by what they point to. A link that leaves the folder of the analysis
// is an error: what is behind it is another thing on another computer.
func (c *collector) resolve(name string) (string, error) {
	links, ok := c.fs.(fs.ReadLinkFS)
	if !ok || name == "." {
		return name, nil
	}
	todo, done := strings.Split(name, "/"), ""
	for seen := 0; len(todo) > 0; {
		part := path.Join(done, todo[0])
		todo = todo[1:]
		info, err := links.Lstat(part)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			done = part
			continue
		}
		if seen++; seen > maxLinks {
			return "", fmt.Errorf("%s goes through more than %d symbolic links", name, maxLinks)
		}
		target, err := links.ReadLink(part)
		if err != nil {
			return "", err
		}
		to := path.Join(path.Dir(part), target)
		if path.IsAbs(target) || to == ".." || strings.HasPrefix(to, "../") {
			return "", fmt.Errorf("the symbolic link %s points to %s and so %w", part, target, errOutside)
		}
		// The target may go through links itself: start again at the top with what is left.
		todo, done = append(strings.Split(to, "/"), todo...), ""
		for len(todo) > 0 && todo[0] == "." {
			todo = todo[1:]
		}
	}
	if done == "" {
		return ".", nil
	}
	return done, nil
}

func (c *collector) stat(name string) (fs.FileInfo, error) {
	real, err := c.resolve(name)
	if err != nil {
		return nil, err
	}
	return fs.Stat(c.fs, real)
}

func (c *collector) read(name string) ([]byte, error) {
	real, err := c.resolve(name)
	if err != nil {
		return nil, err
	}
	return fs.ReadFile(c.fs, real)
}

// isFile tells whether there is a regular file that may be shipped.
func (c *collector) isFile(name string) bool {
	info, err := c.stat(name)
	return err == nil && info.Mode().IsRegular()
}

// isDir tells whether there is a folder.
func (c *collector) isDir(name string) bool {
	info, err := c.stat(name)
	return err == nil && info.IsDir()
}

// list is the paths of what is in a folder; none when it cannot be read.
func (c *collector) list(dir string) []string {
	real, err := c.resolve(dir)
	if err != nil {
		return nil
	}
	entries, err := fs.ReadDir(c.fs, real)
	if err != nil {
		return nil
	}
	out := make([]string, 0, len(entries))
	for _, e := range entries {
		out = append(out, path.Join(dir, e.Name()))
	}
	return out
}
