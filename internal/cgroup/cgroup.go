package cgroup

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Group is a control group below our own.
type Group struct {
	dir         string
	peak, kills string // files: the most memory so far, and counts of events
}

// version is what a version of control groups calls things.
type version struct {
	root, limit, swap, peak, kills string
	swapToo                        bool // the limit of swap counts memory as well
}

var versions = []version{
	{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control", true},
	{"/sys/fs/cgroup", "memory.max", "memory.swap.max", "memory.peak", "memory.events", false},
}

// New makes a group whose processes the kernel kills when they take more than limit bytes together, the cache of files included
// as far as it cannot be dropped. It needs the right to make one.
func New(name string, limit int64) (*Group, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	err = os.ErrNotExist
	for line := range strings.Lines(string(own)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		var v version
		switch {
		case slices.Contains(strings.Split(fields[1], ","), "memory"):
			v = versions[0]
		case fields[0] == "0" && fields[1] == "":
			v = versions[1]
		default:
			continue
		}
		for _, above := range []string{filepath.Join(v.root, fields[2]), v.root} {
			var g *Group
			if g, err = v.group(filepath.Join(above, name), limit); err == nil {
				return g, nil
			}
		}
	}
	return nil, fmt.Errorf("make a control group: %w", err)
}

func (v version) group(dir string, limit int64) (*Group, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, v.limit), fmt.Append(nil, limit), 0o644); err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	swap := int64(0)
	if v.swapToo {
		swap = limit
	}
	_ = os.WriteFile(filepath.Join(dir, v.swap), fmt.Append(nil, swap), 0o644) // where swap is counted at all
	return &Group{dir: dir, peak: filepath.Join(dir, v.peak), kills: filepath.Join(dir, v.kills)}, nil
}

// Enter is the shell command that puts a shell into the group.
func (g *Group) Enter() string { return "echo $$ > " + filepath.Join(g.dir, "cgroup.procs") }

// Peak is the most memory that the group had so far in bytes, the cache of files included; 0 when that is not told.
func (g *Group) Peak() int64 {
	data, _ := os.ReadFile(g.peak)
	n, _ := strconv.ParseInt(string(bytes.TrimSpace(data)), 10, 64)
	return n
}

// Kills is how many processes of the group the kernel has killed for want of memory.
func (g *Group) Kills() int64 {
	data, _ := os.ReadFile(g.kills)
	for line := range bytes.Lines(data) {
		if rest, ok := bytes.CutPrefix(line, []byte("oom_kill ")); ok {
			n, _ := strconv.ParseInt(string(bytes.TrimSpace(rest)), 10, 64)
			return n
		}
	}
	return 0
}

// Close removes the group, once its processes have ended.
func (g *Group) Close() error {
	var err error
	for range 50 {
		if err = os.Remove(g.dir); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}
