package taskcluster

import (
	"context"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// many asks for many things at once.
type many struct {
	features *featureCache
	parallel int
}

const (
	maxBatch        = 1000 // ids of one call; with more, pages of the answer may repeat and miss some
	parallelBatches = 4
)

// lookUp finds the things with ids, each once: with the call for many where the deployment has it, with one call for each where it does not.
// batch gets at most maxBatch ids; single says false when there is nothing.
func lookUp[T any](ctx context.Context, m many, service, method string, ids []string,
	batch func(ctx context.Context, ids []string) (map[string]T, error),
	single func(ctx context.Context, id string) (T, bool, error)) (map[string]T, error) {
	ids = unique(ids)
	if len(ids) == 0 {
		return map[string]T{}, nil
	}
	if m.features.has(ctx, service, method) {
		found, err := inBatches(ctx, ids, batch)
		if !routeMissing(err) {
			return found, err
		}
		m.features.lacks(service, method)
	}
	return singly(ctx, m.parallel, ids, single)
}

// unique is ids in their order, each once.
func unique(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
}

func inBatches[T any](ctx context.Context, ids []string, batch func(context.Context, []string) (map[string]T, error)) (map[string]T, error) {
	var mu sync.Mutex
	found := make(map[string]T, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelBatches)
	for chunk := range slices.Chunk(ids, maxBatch) {
		if ctx.Err() != nil {
			break // one has failed
		}
		group.Go(func() error {
			part, err := batch(ctx, chunk)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(found, part)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return found, nil
}

func singly[T any](ctx context.Context, parallel int, ids []string, single func(context.Context, string) (T, bool, error)) (map[string]T, error) {
	var mu sync.Mutex
	found := make(map[string]T, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, id := range ids {
		if ctx.Err() != nil {
			break // one has failed
		}
		group.Go(func() error {
			one, ok, err := single(ctx, id)
			if err == nil && ok {
				mu.Lock()
				defer mu.Unlock()
				found[id] = one
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return found, nil
}

// optional makes of a call for one thing one that says whether it is there.
func optional[T any](thing T, err error) (T, bool, error) {
	if IsNotFound(err) {
		return thing, false, nil
	}
	return thing, err == nil, err
}
