package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/tafc/tafc/taskcluster/tctest"
	"github.com/tafc/tafc/taskcluster/tctest/worker"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("tcserver: ")
	b := &bench{}
	err := run(b)
	b.clear()
	if err != nil {
		log.Fatal(err)
	}
}

// settings are what the flags say.
type settings struct {
	version, capacity              int
	addr, env, scopes              string
	succeed, worker, path, secrets string
	containers                     string
	verbose                        bool
}

func flags() (*settings, error) {
	o := &settings{}
	flag.IntVar(&o.version, "version", 106, "the Taskcluster `release` to play; 44 is the oldest that tafc knows")
	flag.StringVar(&o.addr, "addr", "127.0.0.1:0", "`where` to listen; port 0 takes a free one")
	flag.StringVar(&o.env, "env", "", "write the variables to this `file` too")
	flag.StringVar(&o.scopes, "scopes", "*", "the `scopes` of the credentials, with spaces between them")
	flag.StringVar(&o.worker, "worker", "", "run the tasks of this `queue`, PROVISIONER/WORKER-TYPE")
	flag.StringVar(&o.path, "path", "", "`folders` in front of the worker's PATH, where taf-mapper is")
	flag.StringVar(&o.containers, "containers", "", "`how` the worker runs tasks that name an image: docker, or processes, for which the image does not matter; docker when a daemon answers")
	flag.IntVar(&o.capacity, "capacity", 2, "tasks that the worker runs at `once`")
	flag.StringVar(&o.succeed, "succeed", "", "have the tasks of this `queue` succeed without doing anything")
	flag.StringVar(&o.secrets, "secret", "", "a secret, as `NAME={\"json\": …}`")
	flag.BoolVar(&o.verbose, "v", false, "print calls and what the worker does")
	flag.Parse()
	if flag.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	switch worker.Containers(o.containers) {
	case worker.Auto, worker.Docker, worker.Processes:
	default:
		return nil, fmt.Errorf("-containers %s: want docker or processes", o.containers)
	}
	return o, nil
}

func run(b *bench) error {
	o, err := flags()
	if err != nil {
		return err
	}
	s, err := tctest.Start(tctest.Options{Version: o.version, Addr: o.addr})
	if err != nil {
		return err
	}
	b.Cleanup(s.Close)
	say := func(string, ...any) {}
	if o.verbose {
		say = log.Printf
		s.AfterCall(func(c tctest.Call) { log.Print(c.Status, " ", c.HTTPMethod, " ", c.Path) })
	}
	if o.succeed != "" {
		s.Handle(o.succeed, func(tctest.Work) tctest.Outcome { return tctest.Outcome{} })
	}
	if o.worker != "" {
		worker.New(b, s, worker.Options{Queue: o.worker, Capacity: o.capacity, Containers: worker.Containers(o.containers), Path: filepath.SplitList(o.path), Log: say})
	}
	if o.secrets != "" {
		name, value, _ := strings.Cut(o.secrets, "=")
		if err := s.SecretText(name, value); err != nil {
			return err
		}
	}
	text := exports(s.Env(s.Client("tcserver/user", strings.Fields(o.scopes)...)))
	fmt.Print(text)
	if o.env != "" {
		if err := os.WriteFile(o.env, []byte(text), 0o600); err != nil {
			return err
		}
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
	return nil
}

// exports are the variables as a shell takes them.
func exports(env []string) string {
	var text strings.Builder
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		fmt.Fprintf(&text, "export %s='%s'\n", name, value)
	}
	return text.String()
}

// bench stands in for the test that a worker runs in.
type bench struct{ after []func() }

func (b *bench) Helper() {}

func (b *bench) Cleanup(f func()) { b.after = append(b.after, f) }

func (b *bench) Fatalf(format string, args ...any) {
	b.clear()
	log.Fatalf(format, args...)
}

func (b *bench) TempDir() string {
	dir, err := os.MkdirTemp("", "tcserver-")
	if err != nil {
		b.Fatalf("%v", err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// clear does what was left for the end, the last first.
func (b *bench) clear() {
	for len(b.after) > 0 {
		last := len(b.after) - 1
		do := b.after[last]
		b.after = b.after[:last]
		do()
	}
}
