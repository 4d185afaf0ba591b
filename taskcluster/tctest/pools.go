package tctest

import "slices"

// poolMethods is worker-manager, as far as somebody asks it whether there is a pool.
func poolMethods() []*method {
	return []*method{{name: "workerPool", verb: "GET", route: "/worker-pool/<workerPoolId>", scopes: "worker-manager:get-worker-pool:<workerPoolId>", handler: workerPool}}
}

func workerPool(c *call) (any, error) {
	id := c.params["workerPoolId"]
	if err := c.authorize(scope("worker-manager:get-worker-pool:", id)); err != nil {
		return nil, err
	}
	if pools := c.s.options.Pools; pools != nil && !slices.Contains(pools, id) {
		return nil, notFound("Worker pool does not exist")
	}
	created := stamp(c.s.started)
	return map[string]any{
		"workerPoolId": id, "providerId": "static", "description": "", "created": created, "lastModified": created, "owner": "tctest@example.com",
		"emailOnError": false, "config": map[string]any{},
	}, nil
}
