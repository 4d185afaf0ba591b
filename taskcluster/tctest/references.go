package tctest

import (
	"fmt"
	"net/http"
	"strings"
)

// release is the version as the services tell it.
func (s *Server) release() string { return fmt.Sprintf("v%d.0.0", s.version) }

// entry is one method in a reference.
type entry struct {
	Type        string   `json:"type"`
	Name        string   `json:"name"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Category    string   `json:"category"`
	Stability   string   `json:"stability"`
	Method      string   `json:"method"`
	Route       string   `json:"route"`
	Args        []string `json:"args"`
	Query       []string `json:"query"`
	Scopes      any      `json:"scopes,omitempty"`
	Input       string   `json:"input,omitempty"`
	Output      string   `json:"output,omitempty"`
}

// serveReference serves the references of the services and the schemas of their requests, both made from the tables that they run on.
func (s *Server) serveReference(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	var document any
	switch {
	case parts[0] == "schemas":
		if found := s.schemas[strings.Join(parts[1:], "/")]; found != nil {
			d := found.document()
			d["$schema"], d["$id"] = "/schemas/common/metaschema.json#", r.URL.Path+"#"
			document = d
		}
	case len(parts) == 4 && parts[2] == "v1" && parts[3] == "api.json":
		document = s.reference(parts[1])
	case len(parts) == 2 && parts[1] == "manifest.json":
		document = s.manifest()
	}
	if document == nil {
		writeHTML(w, http.StatusNotFound)
		return
	}
	writeJSON(w, r, http.StatusOK, document)
}

func (s *Server) manifest() any {
	var all []string
	for service := range s.services {
		all = append(all, "/references/"+service+"/v1/api.json")
	}
	for path := range s.schemas {
		all = append(all, "/schemas/"+path)
	}
	return map[string]any{"$schema": "/schemas/common/manifest-v3.json#", "references": all}
}

func (s *Server) reference(service string) any {
	methods, ok := s.services[service]
	if !ok {
		return nil
	}
	entries := make([]entry, len(methods))
	for i, m := range methods {
		e := entry{Type: "function", Name: m.name, Title: m.name, Category: service, Stability: "stable", Method: strings.ToLower(m.verb),
			Route: m.route, Args: append([]string{}, m.params...), Query: append([]string{}, m.query...), Scopes: m.scopes, Output: hashed(m.output)}
		e.Input = hashed(m.input)
		entries[i] = e
	}
	return map[string]any{"$schema": "/schemas/common/api-reference-v0.json#", "apiVersion": "v1", "serviceName": service,
		"title": service, "description": "", "entries": entries}
}

func hashed(path string) string {
	if path == "" {
		return ""
	}
	return path + "#"
}
