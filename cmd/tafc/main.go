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
	// The signals stay caught until the end, so that a late one does not hide how the command ended.
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	os.Exit(dispatch(ctx))
}

func dispatch(ctx context.Context) int {
	if len(os.Args) == 3 && os.Args[1] == taskVerb {
		return mapper.Main(ctx, os.Args[2], mapper.Streams{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
	}
	return run(ctx, os.Args[1:], view.OSStreams())
}
