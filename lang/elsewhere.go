package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/tafc/tafc/internal/diag"
)

// synonyms are names that other tools have for what is written otherwise here: an argument, or BLOCK.ARGUMENT.
var synonyms = map[string][]string{
	"attempts": {"retry.attempts"}, "retries": {"retry.attempts"}, "max_retries": {"retry.attempts"}, "max_attempts": {"retry.attempts"},
	"timeout": {"max_run_time", "download.timeout"}, "time_limit": {"max_run_time"}, "max_runtime": {"max_run_time"}, "walltime": {"max_run_time"},
	"batch_size": {"batch.max_files"}, "chunk_size": {"batch.max_files"}, "files_per_task": {"batch.max_files"}, "max_batch_size": {"batch.max_size"},
	"cpu": {"resources.cpus"}, "cores": {"resources.cpus"}, "threads": {"resources.cpus"}, "vcpus": {"resources.cpus"},
	"mem": {"resources.memory"}, "ram": {"resources.memory"}, "memory_limit": {"resources.memory"},
	"script": {"code"}, "mapper": {"code"}, "reducer": {"code"}, "program": {"code"}, "function": {"entry"}, "cmd": {"command"}, "run": {"command"}, "exec": {"command"}, "shell": {"command"},
	"environment": {"env"}, "envs": {"env"}, "container": {"image"}, "docker_image": {"image"}, "docker": {"image"},
	"inputs": {"input"}, "from": {"input"}, "depends_on": {"input"}, "reads": {"input"},
	"path": {"to", "source"}, "file": {"to", "code"}, "destination": {"to"}, "dest": {"to"}, "filename": {"to"}, "order_by": {"sort"}, "order": {"sort"}, "head": {"top"}, "limit": {"top"},
	"url": {"source", "root_url"}, "uri": {"source"}, "bucket": {"source"}, "location": {"source"}, "pattern": {"layout"}, "template": {"layout"},
	"reference": {"name"}, "tag": {"name"}, "reducers": {"partitions"}, "num_reducers": {"partitions"}, "arity": {"fan_in"},
	"to": {"email"}, "events": {"on"}, "when": {"on"},
}

// elsewhere reports an argument that has another name here, or that another block has.
func (l *loader) elsewhere(b *block, a *hclsyntax.Attribute) bool {
	if diag.Suggest(a.Name, append(b.schema.argNames(), b.schema.blockNames()...)) != "" {
		return false
	}
	before, behind := "", ""
	if name := b.schema.synonym(a.Name); name != "" {
		before = fmt.Sprintf(" Write %s.", name)
	} else if owners := owners(a.Name); len(owners) > 0 {
		behind = fmt.Sprintf(" Blocks of type %s have %s.", list(owners, "and"), a.Name)
	} else {
		return false
	}
	l.add(diag.Error("lang/unknown-argument", "Unknown argument",
		fmt.Sprintf("A block of type %s has no argument %q.%s%s%s", b.Type, a.Name, before, has(b.schema), behind), a.NameRange))
	return true
}

// synonym is how a block writes what a name means elsewhere, or empty.
func (s *BlockSchema) synonym(name string) string {
	for _, meant := range synonyms[name] {
		block, arg, inside := strings.Cut(meant, ".")
		if !inside {
			if known := s.arg(meant); known != nil && !known.NotBuilt {
				return meant + " = …"
			}
			continue
		}
		if nested := s.block(block); nested != nil && nested.arg(arg) != nil {
			return fmt.Sprintf("%s { %s = … }", block, arg)
		}
	}
	return ""
}

// owners are the types of blocks at the top of a file that have an argument.
func owners(name string) []string {
	var types []string
	for i := range file.Blocks {
		b := &file.Blocks[i]
		kinds := append([]BlockSchema{*b}, b.Kinds...)
		if slices.ContainsFunc(kinds, func(k BlockSchema) bool { known := k.arg(name); return known != nil && !known.NotBuilt }) {
			types = append(types, b.Type)
		}
	}
	return types
}
