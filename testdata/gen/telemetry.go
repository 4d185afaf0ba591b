package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// The submission dates: ten days from the first.
const days = 10

var firstDay = time.Date(2014, 3, 1, 0, 0, 0, 0, time.UTC)

// dims is where a file stands in the layout.
type dims struct{ reason, app, channel, version, build, date string }

// dimsOf spreads the files over the dimensions: each day has its nightly Firefox sessions and, in turn, something of everything else.
func dimsOf(i, files int, r random) dims {
	day := i * days / files
	date := firstDay.AddDate(0, 0, day)
	d := dims{reason: "saved_session", app: "Firefox", channel: "nightly", version: "30.0a1", date: date.Format("20060102")}
	d.build = date.AddDate(0, 0, -r.below(4)).Format("20060102") + pick(r, []string{"030203", "030201", "040204"})
	switch i % 6 {
	case 1:
		n := day % 3
		d.channel = []string{"aurora", "beta", "release"}[n]
		d.version = []string{"29.0a2", "28.0", "27.0.1"}[n]
	case 2:
		d.reason = "idle_daily"
	case 3:
		d.app = []string{"Fennec", "Thunderbird", "Fennec"}[day%3]
		d.channel = []string{"nightly", "release", "aurora"}[day%3]
		d.version = []string{"30.0a1", "24.3.0", "29.0a2"}[day%3]
	case 4:
		d.version = "29.0a1"
		if day%5 == 4 {
			d.channel = "nightly_ux"
		}
	case 5:
		d.reason = []string{"idle_daily", "idle_daily", "android_anr_report"}[day%3]
		d.app = []string{"Firefox", "Thunderbird", "Fennec"}[day%3]
		d.channel = []string{"beta", "release", "OTHER"}[day%3]
		d.version = []string{"28.0", "24.3.0", "29.0"}[day%3]
	}
	return d
}

// key is the path of the file below the root.
func (d dims) key(id, ext string) string {
	return strings.Join([]string{d.reason, d.app, d.channel, d.version, d.build + "." + d.date + ".v2.log." + id + "." + ext}, "/")
}

// schema is the document that lies in the root of the ancestors' bucket: a key that does not fit the layout.
const schema = `{
  "version": 1,
  "dimensions": [
    {"field_name": "reason", "allowed_values": ["idle-daily", "saved-session", "android-anr-report"]},
    {"field_name": "appName", "allowed_values": ["Firefox", "Fennec", "Thunderbird"]},
    {"field_name": "appUpdateChannel", "allowed_values": ["release", "beta", "nightly", "aurora", "nightly-ux"]},
    {"field_name": "appVersion", "allowed_values": "*"},
    {"field_name": "appBuildID", "allowed_values": "*"},
    {"field_name": "submission_date", "allowed_values": "*"}
  ]
}
`

// writeTelemetry writes the files, several at a time: each has its own stream of random numbers.
func writeTelemetry(o options) (raw, stored int64, err error) {
	root := filepath.Join(o.dir, "telemetry")
	if err := write(filepath.Join(root, "telemetry_schema.json"), []byte(schema)); err != nil {
		return 0, 0, err
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.NumCPU())
	for i := range o.files {
		wg.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wg.Done() }()
			plain, packed, e := writeFile(o, root, i)
			mu.Lock()
			defer mu.Unlock()
			raw, stored = raw+plain, stored+packed
			if e != nil {
				err = e
			}
		}()
	}
	wg.Wait()
	return raw, stored, err
}

func writeFile(o options, root string, i int) (raw, stored int64, err error) {
	r := newRandom(o.seed, uint64(i))
	d := dimsOf(i, o.files, r)
	var plain bytes.Buffer
	for range o.recordsTo(i+1) - o.recordsTo(i) {
		plain.Write(record(r, d, o))
	}
	// i/6 makes each kind of file come in each compression.
	ext := o.exts[(i+i/6)%len(o.exts)]
	packed, err := compress(ext, plain.Bytes(), i)
	if err != nil {
		return 0, 0, fmt.Errorf("compress %s: %w", ext, err)
	}
	return int64(plain.Len()), int64(len(packed)), write(filepath.Join(root, filepath.FromSlash(d.key(r.hex(32), ext))), packed)
}

func write(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}
