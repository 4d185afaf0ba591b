package tctest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tafc/tafc/taskcluster/tctest"
)

func TestOldDeployment(t *testing.T) {
	s, c := start(t, tctest.Options{Version: 44})
	if a := c.call("PUT", "/api/queue/v1/task/"+id(1), aTask(s, map[string]any{"priority": "normal"})); a.status != 200 || a.get("status", "priority") != nil {
		t.Errorf("priority normal: %s", a.text)
	}
	if a := c.call("GET", "/api/queue/v1/task/"+id(1), nil); a.get("priority") != "lowest" {
		t.Errorf("it is stored as %v", a.get("priority"))
	}
	source := map[string]any{"name": "n", "description": "d", "owner": "o", "source": "git@example.com:x"}
	wantStatus(t, c.call("PUT", "/api/queue/v1/task/"+id(2), aTask(s, map[string]any{"metadata": source})), 400, "InputValidationError")
	for _, path := range []string{"queue/v1/tasks/status", "queue/v1/tasks", "index/v1/tasks/indexes", "queue/v1/task-group/" + id(1) + "/seal"} {
		if a := c.call("POST", "/api/"+path, map[string]any{}); a.status != 404 || a.get("error") != "Not found" {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
}

// TestFeatures is how a client tells what a deployment can do.
func TestFeatures(t *testing.T) {
	for version, want := range map[int]struct {
		dependencies float64
		batch        bool
	}{44: {100, false}, 106: {10_000, true}} {
		s, c := start(t, tctest.Options{Version: version})
		if got := c.call("GET", "/schemas/queue/v1/task.json", nil).get("properties", "dependencies", "maxItems"); got != want.dependencies {
			t.Errorf("v%d: maxItems %v", version, got)
		}
		var names []string
		for _, e := range c.call("GET", "/references/queue/v1/api.json", nil).get("entries").([]any) {
			names = append(names, e.(map[string]any)["name"].(string))
		}
		if slices.Contains(names, "statuses") != want.batch || !slices.Contains(names, "createTask") {
			t.Errorf("v%d: %v", version, names)
		}
		if got := c.call("GET", "/api/queue/v1/__version__", nil).get("version"); got != fmt.Sprintf("v%d.0.0", version) {
			t.Errorf("version %v", got)
		}
		_ = s
	}
}

// TestReferencesAgree compares what the double serves with the references of the releases that it plays.
func TestReferencesAgree(t *testing.T) {
	for version, folder := range map[int]string{44: "v44.23.4", 106: "v106.0.0"} {
		s, c := start(t, tctest.Options{Version: version})
		_ = s
		for _, service := range []string{"queue", "index", "auth", "secrets", "notify", "object"} {
			text, err := os.ReadFile(filepath.Join(wireDir, "..", "taskcluster-schemas", folder, "generated/references", service, "v1/api.json"))
			if os.IsNotExist(err) {
				t.Skipf("the schemas are not here: %v", err)
			}
			type entry struct {
				Name, Method, Route string
				Query               []string
				Scopes              any
				Input               string
			}
			read := func(text []byte) map[string]entry {
				var all struct{ Entries []entry }
				if err := json.Unmarshal(text, &all); err != nil {
					t.Fatal(err)
				}
				byName := map[string]entry{}
				for _, e := range all.Entries {
					e.Input = strings.TrimSuffix(e.Input, "#")
					byName[e.Name] = e
				}
				return byName
			}
			real := read(text)
			ours := read([]byte(c.call("GET", "/references/"+service+"/v1/api.json", nil).text))
			for _, name := range slices.Sorted(maps.Keys(ours)) {
				got, want := ours[name], real[name]
				switch {
				case want.Name == "" && version == 44 && (service == "notify" || strings.Contains(name, "heartbeat") || service == "object"):
				case want.Name == "":
					t.Errorf("v%d %s: there is no %s", version, service, name)
				case got.Method != want.Method || got.Route != want.Route || got.Input != want.Input:
					t.Errorf("v%d %s.%s: %s %s %s, not %s %s %s", version, service, name, got.Method, got.Route, got.Input, want.Method, want.Route, want.Input)
				case string(mustJSON(got.Scopes)) != string(mustJSON(want.Scopes)):
					t.Errorf("v%d %s.%s: scopes %s, not %s", version, service, name, mustJSON(got.Scopes), mustJSON(want.Scopes))
				}
			}
		}
	}
}
