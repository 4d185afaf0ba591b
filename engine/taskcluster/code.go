package taskcluster

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tafc/tafc/runtime/agent"
)

// code is where tasks find the user's code of one bundle.
type code struct {
	place *agent.Code
}

// maxCopies is how many bytes of code may be repeated in the documents of all tasks together.
const maxCopies = 16 << 20

// code packs the bundles: small ones into the documents of their tasks, larger ones into carriers, tasks that do nothing but hold
// pieces of the archive in their definitions.
func (l *lowering) code() {
	users := map[string]int{}
	for _, t := range l.Run.Tasks {
		if !t.Reused && t.Bundle != "" {
			users[t.Bundle]++
		}
	}
	for _, digest := range slices.Sorted(maps.Keys(users)) {
		c := &code{place: &agent.Code{}}
		l.codes[digest] = c
		b := l.Run.Bundles[digest]
		if b == nil {
			l.problems.error("taskcluster/bad-code", "Code that is not there", "The code %s of the run is missing. This is a bug of tafc.", digest)
			continue
		}
		var files []agent.File
		for _, f := range b.Files {
			files = append(files, agent.File{Path: f.Path, Executable: f.Executable, Data: f.Data})
		}
		archive, sum, err := agent.Pack(files)
		if err != nil {
			l.problems.error("taskcluster/bad-code", "Code that cannot be packed", "%v.", err)
			continue
		}
		c.place.SHA256, c.place.Size = sum, int64(len(archive))
		if len(archive) <= agent.MaxInline && len(archive)*users[digest] <= maxCopies {
			c.place.Inline = archive
			continue
		}
		l.carry(c.place, digest, b.Entry, archive)
	}
}

// carry makes the carriers of an archive.
func (l *lowering) carry(place *agent.Code, digest, entry string, archive []byte) {
	chunks, err := agent.Chunks(archive)
	if err != nil {
		l.problems.error("taskcluster/code-too-large", "Code that does not fit into task definitions",
			"%s and what belongs to it: %v. Put libraries and data into the image, and list only what changes in code.", entry, err)
		return
	}
	for i, chunk := range chunks {
		label := fmt.Sprintf("code %s %d/%d", entry, i+1, len(chunks))
		n := &Node{ID: carrierID(l.Run.ID, digest, i), Label: label}
		n.Definition = l.base(builtinSucceed, l.Run.Analysis+" "+label, "Holds code for the other tasks of the group, and does nothing.")
		n.Definition.Dependencies = []string{l.graph.GroupID}
		n.Definition.Tags = map[string]string{"kind": "tafc", "label": cut(label, maxTag), "tafc-run": l.Run.ID}
		n.Definition.Extra = marshal(extra{Tafc: extraTafc{
			ExtraDocument: agent.ExtraDocument{Code: chunk}, Run: l.Run.ID, Analysis: l.Run.Analysis,
		}})
		place.Carriers = append(place.Carriers, n.ID)
		l.graph.Nodes = append(l.graph.Nodes, n)
	}
}
