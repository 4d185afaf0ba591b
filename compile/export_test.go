package compile

// SumTree makes the tree of a reduce over tasks with these batch names and returns the names that feed its root and the
// inputs of each inner node.
func SumTree(groups, paths []string, fanIn int) (root []string, inner map[string][]string) {
	tasks := make([]*Task, len(groups))
	for i := range groups {
		b := Batch{Group: groups[i], Path: paths[i]}
		tasks[i] = &Task{Group: b.Group, Path: b.Path}
		tasks[i].Addr.Name = b.Name()
	}
	inner = map[string][]string{}
	names := func(tasks []*Task) []string {
		out := make([]string, len(tasks))
		for i, t := range tasks {
			out[i] = t.Addr.Name
		}
		return out
	}
	b := treeBuilder{fanIn: fanIn, inner: func(name string, inputs []*Task) *Task {
		if inner["node "+name] != nil {
			panic("two nodes are called " + name)
		}
		inner["node "+name] = names(inputs)
		t := &Task{}
		t.Addr.Name = "node " + name
		return t
	}}
	leaves := treeLeaves(tasks, "")
	sortLeaves(leaves)
	return names(b.inputs(leaves, 0)), inner
}
