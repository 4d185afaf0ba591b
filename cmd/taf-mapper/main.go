package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/tafc/tafc/runtime/agent"
	"github.com/tafc/tafc/runtime/mapper"
)

func main() { os.Exit(run()) }

func run() int {
	version := flag.Bool("version", false, "print the version and exit")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: taf-mapper SPEC.json\n       taf-mapper task [-out DIR] [-work DIR]\n       taf-mapper -version")
	}
	flag.Parse()
	if *version {
		fmt.Printf("taf-mapper %s, spec version %d\n", buildVersion(), mapper.SpecVersion)
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	streams := mapper.Streams{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	switch {
	case flag.Arg(0) == "task":
		return agent.Main(ctx, flag.Args()[1:], streams)
	case flag.NArg() != 1:
		flag.Usage()
		return mapper.ExitUsage
	}
	return mapper.Main(ctx, flag.Arg(0), streams)
}

func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "(unknown)"
}
