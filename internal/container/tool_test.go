package container

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeHost(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want host
		err  string
	}{
		"docker": {
			text: `{"ServerVersion":"20.10.24","OSType":"linux","Architecture":"x86_64","NCPU":2,"MemoryLimit":true,"SwapLimit":true,"CpuCfsQuota":true,
				"SecurityOptions":["name=seccomp,profile=default","name=selinux"]}`,
			want: host{Arch: "amd64", CPUs: 2, SELinux: true},
		},
		"rootless docker without limits": {
			text: `{"ServerVersion":"27.0.1","OSType":"linux","Architecture":"aarch64","NCPU":8,"MemoryLimit":false,"SwapLimit":false,"CpuCfsQuota":false,
				"SecurityOptions":["name=seccomp,profile=builtin","name=rootless","name=cgroupns"]}`,
			want: host{Arch: "arm64", CPUs: 8, Rootless: true, NoMemory: true, NoSwap: true, NoQuota: true},
		},
		"docker that maps users": {
			text: `{"ServerVersion":"27.0.1","OSType":"linux","Architecture":"x86_64","NCPU":1,"SecurityOptions":["name=userns"]}`,
			want: host{Arch: "amd64", CPUs: 1, Userns: true},
		},
		"podman": {
			text: `{"host":{"arch":"amd64","cpus":4,"cgroupControllers":["cpu","memory","pids"],"security":{"rootless":true,"selinuxEnabled":true}},"version":{"Version":"4.3.1"}}`,
			want: host{Arch: "amd64", CPUs: 4, Rootless: true, SELinux: true, podman: true},
		},
		"docker without its daemon": {
			text: `{"ServerErrors":["Cannot connect to the Docker daemon at unix:///var/run/docker.sock."],"OSType":""}`,
			err:  "Cannot connect",
		},
		"windows": {text: `{"ServerVersion":"27.0.1","OSType":"windows"}`, err: "tasks need linux"},
		"nothing": {text: ``, err: "makes no sense"},
	} {
		got, err := decodeHost([]byte(c.text))
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want an error with %q", name, err, c.err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(host{})); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

func TestRunArgs(t *testing.T) {
	mounts := []Mount{{Path: "/data/a,b"}, {Path: "/out", Writable: true}, {Path: "/bin/taf", From: "/opt/taf"}}
	for name, c := range map[string]struct {
		host host
		run  Run
		uid  int
		want []string // parts that must be there
		not  []string
	}{
		"mounts": {run: Run{Mounts: mounts}, uid: 7, want: []string{
			`--mount type=bind,"source=/data/a,b","target=/data/a,b",readonly`, "--mount type=bind,source=/out,target=/out ", "source=/opt/taf,target=/bin/taf,readonly",
		}},
		"limits":            {host: host{CPUs: 2}, run: Run{Memory: 1 << 20, CPUs: 8}, want: []string{"--memory 1048576 --memory-swap 1048576 --cpus 2"}},
		"limits, no swap":   {host: host{CPUs: 2, NoSwap: true}, run: Run{Memory: 1 << 20}, want: []string{"--memory 1048576"}, not: []string{"--memory-swap", "--cpus"}},
		"no limits here":    {host: host{NoMemory: true, NoQuota: true}, run: Run{Memory: 1, CPUs: 1}, not: []string{"--memory", "--cpus"}},
		"no network":        {run: Run{Network: NoNetwork}, want: []string{"--network none"}},
		"a network":         {run: Run{Network: OwnNetwork}, not: []string{"--network"}},
		"user":              {uid: 1000, want: []string{"--user 1000:1000"}, not: []string{"--cap-add", "--userns"}},
		"root":              {uid: 0, want: []string{"--user 0:0", "--cap-drop ALL", "--cap-add DAC_OVERRIDE"}},
		"rootless docker":   {uid: 1000, host: host{Rootless: true}, want: []string{"--user 0:0"}},
		"rootless podman":   {uid: 1000, host: host{Rootless: true, podman: true}, want: []string{"--userns keep-id", "--user 1000:1000"}},
		"mapped users":      {uid: 1000, host: host{Userns: true}, want: []string{"--userns host", "--user 1000:1000"}},
		"labels of SELinux": {uid: 1000, host: host{SELinux: true}, want: []string{"--security-opt label=disable"}},
	} {
		tool := &Tool{Name: Docker, host: c.host}
		c.run.Name, c.run.Image, c.run.Program, c.run.Args = "n", "image", "program", []string{"arg"}
		args := " " + strings.Join(tool.runArgs(c.run, c.uid, c.uid), " ") + " "
		for _, want := range append(c.want, " --read-only ", " image arg ") {
			if !strings.Contains(args, want) {
				t.Errorf("%s: %s\nwithout %s", name, args, want)
			}
		}
		for _, not := range c.not {
			if strings.Contains(args, not) {
				t.Errorf("%s: %s\nwith %s", name, args, not)
			}
		}
	}
}

func TestReason(t *testing.T) {
	for said, want := range map[string]string{
		"docker: Error response from daemon: No such image: x.\nSee 'docker run --help'.\n": "No such image: x",
		"invalid argument \"A\"\n\nUsage:  docker build\n\nRun 'docker build --help'":       `invalid argument "A"`,
		"Error: short-name did not resolve":                                                 "short-name did not resolve",
		"":                                                                                  "exit status 1",
	} {
		if got := reason(&Error{Said: said, Err: errors.New("exit status 1")}); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}

func TestRepository(t *testing.T) {
	for ref, want := range map[string]string{
		"taf-python": "taf-python", "taf-python:3": "taf-python", "localhost:5000/team/x": "localhost:5000/team/x",
		"localhost:5000/team/x:1@sha256:ab": "localhost:5000/team/x",
	} {
		if got := Repository(ref); got != want {
			t.Errorf("%s: %s, want %s", ref, got, want)
		}
	}
}
