package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/tafc/tafc/taskcluster/tctest"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tcserver:", err)
		os.Exit(1)
	}
}

func run() error {
	version := flag.Int("version", 106, "the Taskcluster release to play; 44 is the oldest that tafc knows")
	addr := flag.String("addr", "127.0.0.1:0", "where to listen; port 0 takes a free one")
	file := flag.String("env", "", "write the variables to this file too")
	scopes := flag.String("scopes", "*", "the scopes of the credentials, with spaces between them")
	succeed := flag.String("succeed", "", "a task queue, PROVISIONER/WORKERTYPE, whose tasks succeed without doing anything")
	verbose := flag.Bool("v", false, "print the calls")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	s, err := tctest.Start(tctest.Options{Version: *version, Addr: *addr})
	if err != nil {
		return err
	}
	defer s.Close()
	if *succeed != "" {
		s.Handle(*succeed, func(tctest.Work) tctest.Outcome { return tctest.Outcome{} })
	}
	if *verbose {
		s.AfterCall(func(c tctest.Call) { fmt.Fprintln(os.Stderr, c.Status, c.HTTPMethod, c.Path) })
	}
	text := exports(s.Env(s.Client("tcserver/user", strings.Fields(*scopes)...)))
	fmt.Print(text)
	if *file != "" {
		if err := os.WriteFile(*file, []byte(text), 0o600); err != nil {
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
