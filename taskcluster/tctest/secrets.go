package tctest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

type secretStore struct {
	mu     sync.Mutex
	byName map[string]secret
}

type secret struct {
	value   json.RawMessage
	expires time.Time
}

// Secret stores a secret that lasts a month; value is encoded as JSON and must become an object.
func (s *Server) Secret(name string, value any) {
	text, err := json.Marshal(value)
	if err == nil {
		err = s.SecretText(name, string(text))
	}
	if err != nil {
		panic(err)
	}
}

// SecretText stores a secret that lasts a month; text is a JSON object.
func (s *Server) SecretText(name, text string) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil || object == nil {
		return fmt.Errorf("secret %s must be a JSON object", name)
	}
	s.secrets.mu.Lock()
	defer s.secrets.mu.Unlock()
	s.secrets.byName[name] = secret{json.RawMessage(text), s.clock.Now().AddDate(0, 1, 0)}
	return nil
}

func secretMethods() []*method {
	return []*method{
		{name: "set", verb: "PUT", route: "/secret/<name>", input: "v1/secret.json", scopes: "secrets:set:<name>", handler: setSecret},
		{name: "remove", verb: "DELETE", route: "/secret/<name>", scopes: "secrets:set:<name>", handler: removeSecret},
		{name: "get", verb: "GET", route: "/secret/<name>", output: "v1/secret.json", scopes: "secrets:get:<name>", handler: getSecret},
		{name: "list", verb: "GET", route: "/secrets", query: paged, output: "v1/secret-list.json", scopes: "secrets:list-secrets", handler: listSecrets},
	}
}

func setSecret(c *call) (any, error) {
	if err := c.authorize(scope("secrets:set:", c.params["name"])); err != nil {
		return nil, err
	}
	value, _ := json.Marshal(c.body["secret"])
	expires, _ := parseStamp(c.str("expires"))
	c.s.secrets.mu.Lock()
	defer c.s.secrets.mu.Unlock()
	c.s.secrets.byName[c.params["name"]] = secret{value, expires}
	return struct{}{}, nil
}

func removeSecret(c *call) (any, error) {
	if err := c.authorize(scope("secrets:set:", c.params["name"])); err != nil {
		return nil, err
	}
	c.s.secrets.mu.Lock()
	defer c.s.secrets.mu.Unlock()
	delete(c.s.secrets.byName, c.params["name"])
	return struct{}{}, nil
}

// getSecret checks the scope first, and does not tell an expired secret from one that never was.
func getSecret(c *call) (any, error) {
	if err := c.authorize(scope("secrets:get:", c.params["name"])); err != nil {
		return nil, err
	}
	c.s.secrets.mu.Lock()
	defer c.s.secrets.mu.Unlock()
	one, ok := c.s.secrets.byName[c.params["name"]]
	if !ok || !one.expires.After(c.s.clock.Now()) {
		return nil, notFound("Secret not found")
	}
	return struct {
		Secret  json.RawMessage `json:"secret"`
		Expires string          `json:"expires"`
	}{one.value, stamp(one.expires)}, nil
}

func listSecrets(c *call) (any, error) {
	if err := c.authorize(scope("secrets:list-secrets")); err != nil {
		return nil, err
	}
	c.s.secrets.mu.Lock()
	defer c.s.secrets.mu.Unlock()
	names, next := page(c, slices.Sorted(maps.Keys(c.s.secrets.byName)), itself)
	return struct {
		Secrets []string `json:"secrets"`
		Next    string   `json:"continuationToken,omitempty"`
	}{append([]string{}, names...), next}, nil
}

func itself(s string) string { return s }
