package taskcluster_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	tc "github.com/tafc/tafc/engine/taskcluster"
	"github.com/tafc/tafc/taskcluster"
)

// schemasDir has the schemas of Taskcluster, which are not part of the repository.
const schemasDir = "../../../shared/facts/taskcluster-schemas"

// schemas are the schemas of one release.
func schemas(t *testing.T, version string) *jsonschema.Compiler {
	t.Helper()
	root := filepath.Join(schemasDir, version, "generated", "schemas")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("the schemas of Taskcluster are not here (%v), so definitions were not compared with them", err)
	}
	c := jsonschema.NewCompiler()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".json") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(src))
		if err != nil {
			return err
		}
		// Their metaschema is draft 6 or 7 with names of their own.
		if m, ok := doc.(map[string]any); ok {
			m["$schema"] = "http://json-schema.org/draft-07/schema#"
			delete(m, "$id")
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return c.AddResource("https://tc.example.org/schemas/"+filepath.ToSlash(rel), doc)
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// checkSchemas compares all definitions with the schemas of the queue and of the workers, of the oldest and the newest release.
func checkSchemas(t *testing.T, g *tc.Graph, payload string) {
	t.Helper()
	for version, names := range map[string]map[string]string{
		"v106.0.0": {tc.DockerPayload: "docker-worker/v1/payload.json", tc.NativePayload: "generic-worker/insecure_posix.json"},
		"v44.23.4": {tc.DockerPayload: "docker-worker/v1/payload.json", tc.NativePayload: "generic-worker/simple_posix.json"},
	} {
		t.Run("schemas of "+version, func(t *testing.T) {
			c := schemas(t, version)
			task, err := c.Compile("https://tc.example.org/schemas/queue/v1/create-task-request.json")
			if err != nil {
				t.Fatal(err)
			}
			worker, err := c.Compile("https://tc.example.org/schemas/" + names[payload])
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range g.Nodes {
				d := *n.Definition
				d.Created = taskcluster.At(start)
				validate(t, n.Label, task, encode(t, d))
				if n.Task != nil {
					validate(t, n.Label+" payload", worker, d.Payload)
				} else if string(d.Payload) != "{}" {
					t.Errorf("%s: the payload of a helper is %s, which built-in/succeed refuses", n.Label, d.Payload)
				}
			}
		})
	}
}

func validate(t *testing.T, what string, s *jsonschema.Schema, text json.RawMessage) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}
