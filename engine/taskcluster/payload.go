package taskcluster

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/runtime/agent"
)

// dockerPayload is what runs in a container (d2g, and docker-worker of old).
type dockerPayload struct {
	Image        any                       `json:"image"`
	Command      []string                  `json:"command"`
	Env          map[string]string         `json:"env,omitempty"`
	MaxRunTime   int64                     `json:"maxRunTime"`
	Features     *features                 `json:"features,omitempty"`
	Artifacts    map[string]dockerArtifact `json:"artifacts"`
	Cache        map[string]string         `json:"cache,omitempty"`
	OnExitStatus *onExitStatus             `json:"onExitStatus,omitempty"`
	Log          string                    `json:"log,omitempty"`
}

type dockerArtifact struct {
	Type string `json:"type"`
	Path string `json:"path"`
}

// nativePayload is what generic-worker runs itself.
type nativePayload struct {
	Command      [][]string        `json:"command"`
	Env          map[string]string `json:"env,omitempty"`
	MaxRunTime   int64             `json:"maxRunTime"`
	Features     *features         `json:"features,omitempty"`
	Artifacts    []nativeArtifact  `json:"artifacts"`
	Mounts       []mount           `json:"mounts,omitempty"`
	OnExitStatus *onExitStatus     `json:"onExitStatus,omitempty"`
	Logs         *logs             `json:"logs,omitempty"`
}

type nativeArtifact struct {
	Type string `json:"type"`
	Path string `json:"path"`
	Name string `json:"name"`
}

type features struct {
	Proxy bool `json:"taskclusterProxy"`
}

type onExitStatus struct {
	Retry []int `json:"retry"`
}

type logs struct {
	Live    string `json:"live"`
	Backing string `json:"backing"`
}

// mount is a file or a cache in the folder of a native task.
type mount struct {
	File      string   `json:"file,omitempty"`
	Content   *content `json:"content,omitempty"`
	Directory string   `json:"directory,omitempty"`
	CacheName string   `json:"cacheName,omitempty"`
}

type content struct {
	TaskID    string `json:"taskId,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Artifact  string `json:"artifact,omitempty"`
	URL       string `json:"url,omitempty"`
	SHA256    string `json:"sha256,omitempty"`
}

// mapperName is the program that carries out a task.
const mapperName = "taf-mapper"

// payload is what the worker of a task is told.
func (l *lowering) payload(t *engine.Task, place agent.Placement, exits []int) json.RawMessage {
	var f *features
	if place.Proxy {
		f = &features{Proxy: true}
	}
	var on *onExitStatus
	if len(exits) > 0 {
		on = &onExitStatus{Retry: exits}
	}
	live, backing := l.Settings.logNames()
	if l.Settings.Payload == NativePayload {
		p := nativePayload{
			Command: [][]string{{mapperName, "task"}}, Env: place.Env, MaxRunTime: l.maxRunTime(t), Features: f, OnExitStatus: on,
			Artifacts: []nativeArtifact{{Type: "directory", Path: agent.NativeOut, Name: l.Settings.ArtifactPrefix}},
			Mounts:    l.mounts(),
		}
		if l.Settings.Mapper != nil {
			p.Command = [][]string{{"chmod", "u+x", mapperName}, {"./" + mapperName, "task"}}
		}
		if live != liveLog {
			p.Logs = &logs{Live: live, Backing: backing}
		}
		return marshal(p)
	}
	p := dockerPayload{
		Image: l.images[l.imageRef(t)].payload(), Command: []string{mapperName, "task", "-out", agent.DockerOut}, Env: place.Env, MaxRunTime: l.maxRunTime(t),
		Features: f, OnExitStatus: on, Cache: l.Settings.Caches,
		Artifacts: map[string]dockerArtifact{l.Settings.ArtifactPrefix: {Type: "directory", Path: agent.DockerOut}},
	}
	if live != liveLog {
		p.Log = live
	}
	return marshal(p)
}

// mounts are taf-mapper and the caches of a native task.
func (l *lowering) mounts() []mount {
	var out []mount
	if m := l.Settings.Mapper; m != nil {
		out = append(out, mount{File: mapperName, Content: &content{
			TaskID: m.TaskID, Namespace: m.Namespace, Artifact: m.Artifact, URL: m.URL, SHA256: m.SHA256,
		}})
	}
	for _, name := range slices.Sorted(maps.Keys(l.Settings.Caches)) {
		out = append(out, mount{Directory: l.Settings.Caches[name], CacheName: name})
	}
	return out
}

// The names of logs that workers take by themselves.
const (
	liveLog    = "public/logs/live.log"
	backingLog = "public/logs/live_backing.log"
)

// logNames are the artifacts with a task's log: as private as its results.
func (s *Settings) logNames() (live, backing string) {
	if strings.HasPrefix(s.ArtifactPrefix, "public/") {
		return liveLog, backingLog
	}
	return path.Join(s.ArtifactPrefix, "logs/live.log"), path.Join(s.ArtifactPrefix, "logs/live_backing.log")
}

// What a task may take besides its own time limit, which it keeps itself: to fetch its inputs, and to end in order.
const timeToSpare = 5 * time.Minute

// longestRun is the most that pools allow, unless they are set up otherwise.
const longestRun = 24 * time.Hour

// maxRunTime is when the worker ends a task, in seconds. Then there is no report, and no other run.
func (l *lowering) maxRunTime(t *engine.Task) int64 {
	limit := longestRun
	if own := t.Spec.Limits.MaxRunTime; own > 0 {
		limit = own + timeToSpare
		if own <= longestRun { // what pools allow is not exceeded for the sake of the time to spare
			limit = min(limit, longestRun)
		}
	}
	limit = min(limit, max(l.Deadline.Sub(l.Start), time.Minute))
	return int64((limit + time.Second - 1) / time.Second)
}
