package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tafc/tafc/taskcluster"
)

// The names of logs that a payload does not name.
const (
	defaultLive    = "public/logs/live.log"
	defaultBacking = "public/logs/live_backing.log"
)

// work is what a payload asks for, whatever its style.
type work struct {
	image      *image     // nil: a native payload
	commands   [][]string // one for a docker-style payload
	env        map[string]string
	maxRunTime time.Duration
	artifacts  []artifact
	mounts     []mount
	retry      []int
	proxy      bool
	logs       bool // whether the log is kept
	live       string
	backing    string
}

// artifact is an output to keep.
type artifact struct {
	name, kind string // kind: file, directory
	path       string // as the payload says
	file       string // on this computer
	optional   bool   // it is no failure when it is missing
	expires    taskcluster.Time
	mime       string
	encoding   string // identity, gzip; empty: by the name
}

type exits struct {
	Retry       []int `json:"retry"`
	PurgeCaches []int `json:"purgeCaches"`
}

// dockerPayload is the docker-style payload.
type dockerPayload struct {
	Image      *image            `json:"image"`
	Command    []string          `json:"command"`
	Env        map[string]string `json:"env"`
	MaxRunTime int               `json:"maxRunTime"`
	Artifacts  map[string]struct {
		Type    string           `json:"type"`
		Path    string           `json:"path"`
		Expires taskcluster.Time `json:"expires"`
	} `json:"artifacts"`
	Cache         map[string]string `json:"cache"`
	OnExitStatus  exits             `json:"onExitStatus"`
	Capabilities  json.RawMessage   `json:"capabilities"`
	Features      map[string]bool   `json:"features"`
	Log           string            `json:"log"`
	SupersederURL string            `json:"supersederUrl"`
}

// nativePayload is the payload of generic-worker.
type nativePayload struct {
	Command    [][]string        `json:"command"`
	Env        map[string]string `json:"env"`
	MaxRunTime int               `json:"maxRunTime"`
	Artifacts  []struct {
		Type            string           `json:"type"`
		Path            string           `json:"path"`
		Name            string           `json:"name"`
		Expires         taskcluster.Time `json:"expires"`
		ContentType     string           `json:"contentType"`
		ContentEncoding string           `json:"contentEncoding"`
		Optional        bool             `json:"optional"`
	} `json:"artifacts"`
	Mounts       []mount         `json:"mounts"`
	OnExitStatus exits           `json:"onExitStatus"`
	Features     map[string]bool `json:"features"`
	OSGroups     []string        `json:"osGroups"`
	Logs         struct {
		Live    string `json:"live"`
		Backing string `json:"backing"`
	} `json:"logs"`
	ProxyInterface string `json:"taskclusterProxyInterface"`
	SupersederURL  string `json:"supersederUrl"`
}

// image is where the image of a docker-style payload is.
type image struct {
	Name      string
	Type      string `json:"type"`
	TaskID    string `json:"taskId"`
	Namespace string `json:"namespace"`
	Path      string `json:"path"`
	Repo      string `json:"name"`
}

func (i *image) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &i.Name) == nil {
		return nil
	}
	type plain image
	if err := strict(data, (*plain)(i)); err != nil {
		return err
	}
	i.Name = i.Repo
	return nil
}

// strict refuses what the payload's schema does not know.
func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// parse reads and checks the payload.
func (r *run) parse() (*work, error) {
	var style struct {
		Image json.RawMessage `json:"image"`
	}
	if err := json.Unmarshal(r.def.Payload, &style); err != nil {
		return nil, err
	}
	parse := r.native
	if style.Image != nil {
		parse = r.dockerStyle
	}
	j, err := parse()
	if err != nil {
		return nil, err
	}
	if j.maxRunTime < time.Second || j.maxRunTime > r.w.o.MaxRunTime {
		return nil, fmt.Errorf("maxRunTime must be from 1 second to %s", r.w.o.MaxRunTime)
	}
	for _, again := range j.retry {
		if again < 1 {
			return nil, errors.New("onExitStatus.retry must be at least 1")
		}
	}
	for _, a := range j.artifacts {
		if !a.expires.IsZero() && (a.expires.Before(r.def.Deadline.Time) || a.expires.After(r.def.Expires.Add(time.Second))) {
			return nil, fmt.Errorf("artifact %s must expire between the deadline and the end of its task", a.name)
		}
	}
	own := maps.Clone(j.env)
	j.env = map[string]string{}
	maps.Copy(j.env, own)
	maps.Copy(j.env, map[string]string{
		"TASK_ID": r.taskID, "RUN_ID": strconv.Itoa(r.runID), "TASK_GROUP_ID": r.def.TaskGroupID,
		taskcluster.EnvRootURL: r.w.server.RootURL, "TASKCLUSTER_WORKER_LOCATION": "{}", "TASKCLUSTER_INSTANCE_TYPE": "tctest",
	})
	return j, nil
}

func (r *run) dockerStyle() (*work, error) {
	var p dockerPayload
	if err := strict(r.def.Payload, &p); err != nil {
		return nil, err
	}
	for _, refused := range []string{"dind", "dockerSave"} {
		if p.Features[refused] {
			return nil, fmt.Errorf("feature %s is not supported", refused)
		}
	}
	j := &work{
		image: p.Image, commands: [][]string{p.Command}, env: p.Env, maxRunTime: time.Duration(p.MaxRunTime) * time.Second, retry: p.OnExitStatus.Retry,
		proxy: p.Features["taskclusterProxy"], logs: true, live: p.Log, backing: defaultBacking,
	}
	if j.live == "" {
		j.live = defaultLive
	}
	if p.Image.Type == "task-image" && !slices.Contains(r.def.Dependencies, p.Image.TaskID) {
		return nil, fmt.Errorf("the task %s of the image is not among the dependencies", p.Image.TaskID)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Artifacts)) {
		a := p.Artifacts[name]
		if !strings.HasPrefix(a.Path, "/") || a.Type != "file" && a.Type != "directory" && a.Type != "volume" {
			return nil, fmt.Errorf("artifact %s makes no sense", name)
		}
		if a.Type == "volume" {
			a.Type = "directory"
		}
		file := filepath.Join(r.dir, "root", filepath.FromSlash(a.Path))
		j.artifacts = append(j.artifacts, artifact{name: name, kind: a.Type, path: a.Path, file: file, optional: true, expires: a.Expires})
	}
	return j, nil
}

func (r *run) native() (*work, error) {
	var p nativePayload
	if err := strict(r.def.Payload, &p); err != nil {
		return nil, err
	}
	if len(p.Command) == 0 || slices.ContainsFunc(p.Command, func(argv []string) bool { return len(argv) == 0 }) {
		return nil, errors.New("command needs at least one list of at least one text")
	}
	j := &work{
		commands: p.Command, env: p.Env, maxRunTime: time.Duration(p.MaxRunTime) * time.Second, mounts: p.Mounts, retry: p.OnExitStatus.Retry,
		proxy: p.Features["taskclusterProxy"], logs: true, live: p.Logs.Live, backing: p.Logs.Backing,
	}
	if j.live == "" {
		j.live = defaultLive
	}
	if j.backing == "" {
		j.backing = defaultBacking
	}
	if on, said := p.Features["backingLog"]; said {
		j.logs = on
	}
	for _, a := range p.Artifacts {
		if a.Type != "file" && a.Type != "directory" || !filepath.IsLocal(a.Path) {
			return nil, fmt.Errorf("artifact %s makes no sense", a.Path)
		}
		if a.Name == "" {
			a.Name = a.Path
		}
		file := filepath.Join(r.dir, filepath.FromSlash(a.Path))
		j.artifacts = append(j.artifacts, artifact{
			name: a.Name, kind: a.Type, path: a.Path, file: file, optional: a.Optional, expires: a.Expires, mime: a.ContentType, encoding: a.ContentEncoding,
		})
	}
	for _, m := range j.mounts {
		if err := m.check(r.def.Dependencies); err != nil {
			return nil, err
		}
	}
	return j, nil
}
