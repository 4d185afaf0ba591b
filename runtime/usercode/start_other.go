//go:build !unix

package usercode

import (
	"context"
	"errors"
	"runtime"
)

func start(context.Context, Options, Sink) (Program, error) {
	return nil, errNoUnix
}

func startCalls(context.Context, Options, func(string)) (Calls, error) { return nil, errNoUnix }

var errNoUnix = errors.New("user code cannot be run on " + runtime.GOOS + ": run the task on Linux or macOS, for example in a container")
