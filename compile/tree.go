package compile

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// leaf is one upstream task of a reduce with its place in the tree: bits of a hash of the batch's group, then the batch's
// own trie path. The tree follows the batches' trie, so one changed batch changes only the nodes above it.
type leaf struct {
	task  *Task
	group string
	path  string // 0 and 1
}

// treeLeaves places the tasks of an upstream stage. The prefix tells stages apart where a reduce reads several.
func treeLeaves(tasks []*Task, prefix string) []leaf {
	leaves := make([]leaf, len(tasks))
	for i, t := range tasks {
		group := prefix + t.group()
		leaves[i] = leaf{task: t, group: group, path: hashPath(group) + t.Path}
	}
	return leaves
}

// sortLeaves puts leaves in the order of the tree. The order that they come in does not matter.
func sortLeaves(leaves []leaf) {
	slices.SortFunc(leaves, func(a, b leaf) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.name(), b.name()))
	})
}

// name tells leaves apart.
func (l leaf) name() string {
	if l.group == l.task.group() {
		return l.task.Addr.Name
	}
	return l.group + "/" + l.task.Path
}

func hashPath(name string) string {
	h := xxhash.Sum64String(name)
	var b [hashBits]byte
	for i := range b {
		b[i] = '0' + byte(bits.RotateLeft64(h, i+1)&1)
	}
	return string(b[:])
}

// treeBuilder collects at most fanIn inputs for the root of a reduce, making inner nodes where there are more.
type treeBuilder struct {
	fanIn int
	// inner makes the inner task that stands for the inputs; name tells the nodes of one tree apart.
	inner func(name string, inputs []*Task) *Task
}

// inputs returns at most fanIn tasks that together stand for all leaves, which share the first depth bits of their paths.
func (b *treeBuilder) inputs(leaves []leaf, depth int) []*Task {
	if len(leaves) <= b.fanIn {
		tasks := make([]*Task, len(leaves))
		for i, l := range leaves {
			tasks[i] = l.task
		}
		return tasks
	}
	depth = branch(leaves, depth)
	if depth < 0 {
		return b.chunks(leaves)
	}
	middle := slices.IndexFunc(leaves, func(l leaf) bool { return l.path[depth] == '1' })
	left, right := b.inputs(leaves[:middle], depth+1), b.inputs(leaves[middle:], depth+1)
	if len(left)+len(right) <= b.fanIn {
		return append(left, right...)
	}
	return []*Task{
		b.node(nodeName(leaves[0], depth+1), left),
		b.node(nodeName(leaves[middle], depth+1), right),
	}
}

func (b *treeBuilder) node(name string, inputs []*Task) *Task {
	if len(inputs) == 1 {
		return inputs[0]
	}
	return b.inner(name, inputs)
}

// branch is the first bit, from depth on, in which sorted paths differ; -1 when there is none.
func branch(leaves []leaf, depth int) int {
	first, last := leaves[0].path, leaves[len(leaves)-1].path
	for ; depth < len(first) && depth < len(last); depth++ {
		if first[depth] != last[depth] {
			return depth
		}
	}
	return -1
}

// chunks is for leaves whose paths are all equal, which only a collision of 64-bit hashes can bring about.
func (b *treeBuilder) chunks(leaves []leaf) []*Task {
	slices.SortFunc(leaves, func(a, b leaf) int { return strings.Compare(a.name(), b.name()) })
	var tasks []*Task
	var names []string
	for _, l := range leaves {
		tasks, names = append(tasks, l.task), append(names, l.name())
	}
	for len(tasks) > b.fanIn {
		var next []*Task
		var nextNames []string
		for i := 0; i < len(tasks); i += b.fanIn {
			name := "=" + names[i]
			next = append(next, b.node(name, tasks[i:min(i+b.fanIn, len(tasks))]))
			nextNames = append(nextNames, name)
		}
		tasks, names = next, nextNames
	}
	return tasks
}

// nodeName names a node by the group and trie path that its leaves share, or by hash bits above the groups.
func nodeName(l leaf, depth int) string {
	if depth <= hashBits {
		return "~" + l.path[:depth]
	}
	if l.group == "" {
		return l.path[hashBits:depth]
	}
	return l.group + "/" + l.path[hashBits:depth]
}
