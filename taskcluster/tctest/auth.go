package tctest

import (
	"strings"
	"time"
)

// anonymousScopes are what deployments grant to those without credentials, as far as the double serves it.
var anonymousScopes = []string{
	"auth:current-scopes", "auth:expand-scopes", "auth:get-client:*", "auth:get-role:*", "auth:list-clients", "auth:list-roles",
	"index:find-task:*", "index:list-namespaces:*", "index:list-tasks:*",
	"queue:get-artifact:public/*", "queue:get-task:*", "queue:list-artifacts:*", "queue:list-dependent-tasks:*", "queue:list-task-group:*",
	"queue:pending-count:*", "queue:status:*", "secrets:list-secrets", "worker-manager:get-worker-pool:*",
}

func authMethods() []*method {
	const scopeset, tested = "v1/scopeset.json", "v1/test-authenticate-response.json"
	return []*method{
		{name: "client", verb: "GET", route: "/clients/<clientId>", output: "v1/get-client-response.json", scopes: "auth:get-client:<clientId>", handler: getClient},
		{name: "createClient", verb: "PUT", route: "/clients/<clientId>", input: "v1/create-client-request.json", output: "v1/create-client-response.json",
			scopes: map[string]any{"AllOf": []any{"auth:create-client:<clientId>", map[string]string{"each": "<scope>", "for": "scope", "in": "scopes"}}}, handler: createClient},
		{name: "deleteClient", verb: "DELETE", route: "/clients/<clientId>", scopes: "auth:delete-client:<clientId>", handler: deleteClient},
		{name: "role", verb: "GET", route: "/roles/<roleId>", output: "v1/get-role-response.json", scopes: "auth:get-role:<roleId>", handler: getRole},
		{name: "expandScopes", verb: "POST", route: "/scopes/expand", input: scopeset, output: scopeset, scopes: "auth:expand-scopes", handler: expandScopes},
		{name: "currentScopes", verb: "GET", route: "/scopes/current", output: scopeset, scopes: "auth:current-scopes", handler: currentScopes},
		{name: "awsS3Credentials", verb: "GET", route: "/aws/s3/<level>/<bucket>/<prefix>", query: []string{"format"},
			output: "v1/aws-s3-credentials-response.json", scopes: bucketScopes, handler: awsS3Credentials},
		{name: "testAuthenticate", verb: "POST", route: "/test-authenticate", input: "v1/test-authenticate-request.json", output: tested, handler: testAuthenticate},
		{name: "testAuthenticateGet", verb: "GET", route: "/test-authenticate-get/", output: tested, handler: testAuthenticateGet},
	}
}

var bucketScopes = map[string]any{"if": "levelIsReadOnly", "else": "auth:aws-s3:read-write:<bucket>/<prefix>",
	"then": map[string]any{"AnyOf": []string{"auth:aws-s3:read-only:<bucket>/<prefix>", "auth:aws-s3:read-write:<bucket>/<prefix>"}}}

type clientAnswer struct {
	ClientID         string   `json:"clientId"`
	Description      string   `json:"description"`
	Expires          string   `json:"expires"`
	Created          string   `json:"created"`
	LastModified     string   `json:"lastModified"`
	LastDateUsed     string   `json:"lastDateUsed"`
	LastRotated      string   `json:"lastRotated"`
	DeleteOnExpiry   bool     `json:"deleteOnExpiration"`
	Scopes           []string `json:"scopes"`
	ExpandedScopes   []string `json:"expandedScopes"`
	Disabled         bool     `json:"disabled"`
	AccessTokenValue string   `json:"accessToken,omitempty"`
}

func (s *Server) clientAnswer(id string, cl *client) clientAnswer {
	at := stamp(cl.created)
	return clientAnswer{ClientID: id, Description: cl.description, Expires: stamp(cl.expires), Created: at, LastModified: at, LastDateUsed: at,
		LastRotated: at, DeleteOnExpiry: cl.deletes, Scopes: cl.scopes, ExpandedScopes: expandRoles(cl.scopes, nil).list()}
}

func getClient(c *call) (any, error) {
	id := c.params["clientId"]
	if err := c.authorize(scope("auth:get-client:", id)); err != nil {
		return nil, err
	}
	c.s.auth.mu.RLock()
	defer c.s.auth.mu.RUnlock()
	cl := c.s.auth.clients[id]
	if cl == nil {
		return nil, notFound("Client not found")
	}
	return c.s.clientAnswer(id, cl), nil
}

func createClient(c *call) (any, error) {
	id := c.params["clientId"]
	if err := c.authorize(allOf(append([]expression{scope("auth:create-client:", id)}, eachScope("", c.strs("scopes"))...)...)); err != nil {
		return nil, err
	}
	c.s.auth.mu.Lock()
	defer c.s.auth.mu.Unlock()
	if c.s.auth.clients[id] != nil {
		return nil, conflict("Client already exists")
	}
	cl := &client{token: slug() + slug(), scopes: c.strs("scopes"), description: c.str("description"), created: c.s.clock.Now()}
	cl.expires, _ = parseStamp(c.str("expires"))
	cl.deletes, _ = c.body["deleteOnExpiration"].(bool)
	c.s.auth.clients[id] = cl
	a := c.s.clientAnswer(id, cl)
	a.AccessTokenValue = cl.token
	return a, nil
}

func deleteClient(c *call) (any, error) {
	id := c.params["clientId"]
	if err := c.authorize(scope("auth:delete-client:", id)); err != nil {
		return nil, err
	}
	c.s.auth.mu.Lock()
	defer c.s.auth.mu.Unlock()
	delete(c.s.auth.clients, id)
	return struct{}{}, nil
}

func getRole(c *call) (any, error) {
	id := c.params["roleId"]
	if err := c.authorize(scope("auth:get-role:", id)); err != nil {
		return nil, err
	}
	c.s.auth.mu.RLock()
	defer c.s.auth.mu.RUnlock()
	r := c.s.auth.roles[id]
	if r == nil {
		return nil, notFound("Role not found")
	}
	return map[string]any{"roleId": id, "scopes": r.scopes, "expandedScopes": c.s.expand([]string{"assume:" + id}).list(),
		"description": r.description, "lastModified": stamp(r.created), "created": stamp(r.created)}, nil
}

func expandScopes(c *call) (any, error) {
	if err := c.authorize(scope("auth:expand-scopes")); err != nil {
		return nil, err
	}
	c.s.auth.mu.RLock()
	defer c.s.auth.mu.RUnlock()
	roles := map[string][]string{}
	for id, r := range c.s.auth.roles {
		roles[id] = r.scopes
	}
	return map[string]any{"scopes": expandRoles(c.strs("scopes"), roles).list()}, nil
}

func currentScopes(c *call) (any, error) {
	if err := c.authorize(scope("auth:current-scopes")); err != nil {
		return nil, err
	}
	return map[string]any{"scopes": c.who.scopes.list()}, nil
}

func awsS3Credentials(c *call) (any, error) {
	level, bucket, prefix := c.params["level"], c.params["bucket"], c.params["prefix"]
	writing := scope("auth:aws-s3:read-write:", bucket, "/", prefix)
	need := writing
	if level == "read-only" {
		need = anyOf(scope("auth:aws-s3:read-only:", bucket, "/", prefix), writing)
	}
	if err := c.authorize(need); err != nil {
		return nil, err
	}
	if strings.HasPrefix(prefix, "/") {
		return nil, badInput("The `prefix` may not start with a slash `/`")
	}
	found, ok := c.s.options.Buckets[bucket]
	if !ok {
		return nil, notFound("No credentials available for bucket %s", bucket)
	}
	now := c.s.clock.Now()
	expires := stamp(now.Add(time.Hour))
	if c.query.Get("format") == "iam-role-compat" {
		return map[string]string{"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": stamp(now), "AccessKeyId": found.AccessKeyID,
			"SecretAccessKey": found.SecretAccessKey, "Token": found.SessionToken, "Expiration": expires}, nil
	}
	return map[string]any{"expires": expires, "credentials": map[string]string{"accessKeyId": found.AccessKeyID,
		"secretAccessKey": found.SecretAccessKey, "sessionToken": found.SessionToken}}, nil
}

// testAuthenticate checks a signature of the client that everyone knows.
func testAuthenticate(c *call) (any, error) {
	return c.tester(c.strs("clientScopes"), c.strs("requiredScopes"))
}

func testAuthenticateGet(c *call) (any, error) {
	return c.tester([]string{"test:*", "auth:create-client:test:*"}, []string{"test:authenticate-get"})
}

func (c *call) tester(held, required []string) (any, error) {
	claimed, err := readClaim(c.r, c.raw, c.s.authClock.Now())
	if err != nil {
		return nil, err
	}
	if claimed == nil {
		return nil, unauthorized("No credentials given")
	}
	c.s.auth.mu.RLock()
	c.who, err = c.s.resolve(claimed, &client{token: "no-secret", scopes: held})
	c.s.auth.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	if err := c.authorize(allOf(eachScope("", required)...)); err != nil {
		return nil, err
	}
	return map[string]any{"clientId": c.who.clientID, "scopes": testScopes(c.who.scopes)}, nil
}

// testScopes leaves out what everyone holds by the role anonymous, which the real service does not expand here.
func testScopes(set scopeSet) []string {
	var kept []string
	for _, s := range set.list() {
		if s == "assume:anonymous" || strings.HasPrefix(s, "test:") || strings.HasPrefix(s, "auth:create-client:") {
			kept = append(kept, s)
		}
	}
	return kept
}
