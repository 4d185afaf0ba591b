package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/runtime/mapper"
)

// taskVerb is how the embedded engine calls this program again for one task. It is handled before anything else is set up,
// so that a task starts fast.
const taskVerb = "__task"

func main() {
	if len(os.Args) == 3 && os.Args[1] == taskVerb {
		os.Exit(mapper.Main(os.Args[2], os.Stdin, os.Stdout, os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], view.OSStreams())
	stop()
	os.Exit(code)
}
