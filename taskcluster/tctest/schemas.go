package tctest

// The patterns of identifiers, as the services write them.
const (
	slugPattern      = `^[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$`
	queuePattern     = `^[a-zA-Z0-9-_]{1,38}/[a-z]([-a-z0-9]{0,36}[a-z0-9])?$`
	idPattern        = `^[a-zA-Z0-9-_]{1,38}$`
	workerPattern    = `^[a-z]([-a-z0-9]{0,36}[a-z0-9])?$`
	projectPattern   = `^([a-zA-Z0-9._/-]*)$`
	scopePattern     = `^[ -~]*$`
	namespacePattern = `^([a-zA-Z0-9_!~*'()%-]+\.)*[a-zA-Z0-9_!~*'()%-]+$`
)

var priorities = []string{"highest", "very-high", "high", "medium", "low", "very-low", "lowest"}

// maxDependencies is what createTask accepts in a version.
func maxDependencies(version int) int {
	if version < 69 {
		return 100
	}
	return 10_000
}

// schemas are the bodies of requests by the path below /schemas.
func schemas(version int) map[string]*schema {
	task := taskSchema(version)
	stored := *task
	stored.required = append(stored.required, "taskGroupId", "schedulerId")
	ids := &schema{typ: "object", properties: []property{{"taskIds", listOf(&schema{typ: "string"}), []any{}}}}
	worker := []property{{"workerGroup", text(idPattern), nil}, {"workerId", text(idPattern), nil}}
	return map[string]*schema{
		"queue/v1/create-task-request.json": task,
		"queue/v1/task.json":                &stored,
		"queue/v1/tasks-request.json":       ids,
		"queue/v1/claim-work-request.json": {typ: "object", required: []string{"workerGroup", "workerId"},
			properties: append(worker[:2:2], property{"tasks", whole(1, 32), 1.0})},
		"queue/v1/task-claim-request.json": {typ: "object", required: []string{"workerGroup", "workerId"}, properties: worker},
		"queue/v1/task-exception-request.json": {typ: "object", required: []string{"reason"}, properties: []property{{"reason",
			oneOf("worker-shutdown", "malformed-payload", "resource-unavailable", "internal-error", "intermittent-task"), nil}}},
		"queue/v1/change-task-priority-request.json": {typ: "object", required: []string{"newPriority"},
			properties: []property{{"newPriority", oneOf(priorities...), nil}}},
		"queue/v1/post-artifact-request.json": {oneOf: artifactSchemas()},
		"queue/v1/finish-artifact-request.json": {typ: "object", required: []string{"uploadId"},
			properties: []property{{"uploadId", text(slugPattern), nil}}},
		"index/v1/insert-task-request.json": {typ: "object", required: []string{"taskId", "rank", "data", "expires"}, properties: []property{
			{"taskId", text(slugPattern), nil}, {"rank", &schema{typ: "number"}, nil}, {"data", anyObject(), nil}, {"expires", date(), nil}}},
		"index/v1/list-tasks-at-index.json": {typ: "object", properties: []property{{"indexes", listOf(&schema{typ: "string"}), []any{}}}},
		"secrets/v1/secret.json": {typ: "object", required: []string{"secret", "expires"}, properties: []property{
			{"secret", anyObject(), nil}, {"expires", date(), nil}}},
		"auth/v1/scopeset.json": {typ: "object", required: []string{"scopes"}, properties: []property{{"scopes", listOf(text(scopePattern)), nil}}},
		"auth/v1/test-authenticate-request.json": {typ: "object", properties: []property{
			{"clientScopes", listOf(text(scopePattern)), []any{}}, {"requiredScopes", listOf(text(scopePattern)), []any{}}}},
		"auth/v1/create-client-request.json": {typ: "object", required: []string{"expires", "description"}, properties: []property{
			{"expires", date(), nil}, {"description", short(10240), nil}, {"deleteOnExpiration", &schema{typ: "boolean"}, false},
			{"scopes", listOf(text(scopePattern)), []any{}}}},
		"auth/v1/create-role-request.json": {typ: "object", required: []string{"description", "scopes"}, properties: []property{
			{"description", short(10240), nil}, {"scopes", listOf(text(scopePattern)), nil}}},
		"notify/v1/email-request.json":  {typ: "object", open: true, required: []string{"address", "subject", "content"}},
		"notify/v1/slack-request.json":  {typ: "object", open: true, required: []string{"channelId", "text"}},
		"notify/v1/matrix-request.json": {typ: "object", open: true, required: []string{"roomId", "body"}},
		"notify/v1/pulse-request.json":  {typ: "object", open: true, required: []string{"routingKey", "message"}},
		"object/v1/create-upload-request.json": {typ: "object", open: true,
			required: []string{"projectId", "expires", "uploadId", "proposedUploadMethods"}},
		"object/v1/finish-upload-request.json":   {typ: "object", open: true, required: []string{"projectId", "uploadId"}},
		"object/v1/download-object-request.json": {typ: "object", open: true, required: []string{"acceptDownloadMethods"}},
	}
}

func taskSchema(version int) *schema {
	source := `^(https?://|ssh://|git@)`
	if version < 55 {
		source = `^(https?|ssh)://`
	}
	allowed := priorities
	if version < 102 {
		allowed = append(priorities[:len(priorities):len(priorities)], "normal")
	}
	route := &schema{typ: "string", minLength: 1, maxLength: 249}
	scheduler := &schema{typ: "string", minLength: 1, maxLength: 38, pattern: `^([a-zA-Z0-9-_]*)$`, re: compiled(`^([a-zA-Z0-9-_]*)$`)}
	project := &schema{typ: "string", minLength: 1, maxLength: 500, pattern: projectPattern, re: compiled(projectPattern)}
	page := &schema{typ: "string", maxLength: 4096, pattern: source, re: compiled(source)}
	return &schema{typ: "object", required: []string{"created", "deadline", "payload", "metadata"}, properties: []property{
		{"provisionerId", text(idPattern), nil},
		{"workerType", text(workerPattern), nil},
		{"taskQueueId", text(queuePattern), nil},
		{"schedulerId", scheduler, "-"},
		{"projectId", project, "none"},
		{"taskGroupId", text(slugPattern), nil},
		{"dependencies", &schema{typ: "array", items: text(slugPattern), maxItems: maxDependencies(version), unique: true}, []any{}},
		{"requires", oneOf("all-completed", "all-resolved"), "all-completed"},
		{"routes", &schema{typ: "array", items: route, maxItems: 64, unique: true}, []any{}},
		{"priority", oneOf(allowed...), "lowest"},
		{"retries", whole(0, 49), 5.0},
		{"created", date(), nil},
		{"deadline", date(), nil},
		{"expires", date(), nil},
		{"scopes", listOf(text(scopePattern)), []any{}},
		{"payload", anyObject(), nil},
		{"metadata", &schema{typ: "object", required: []string{"name", "description", "owner", "source"}, properties: []property{
			{"name", short(255), nil}, {"description", short(32768), nil}, {"owner", short(255), nil}, {"source", page, nil}}}, nil},
		{"tags", &schema{typ: "object", values: short(4096)}, map[string]any{}},
		{"extra", anyObject(), map[string]any{}},
	}}
}

func artifactSchemas() (all []*schema) {
	kinds := []struct {
		storage  string
		required []string
		others   []property
	}{
		{"s3", []string{"contentType"}, []property{{"contentLength", whole(0, 1<<53), nil}}},
		{"object", []string{"contentType"}, []property{{"contentLength", whole(0, 1<<53), nil}}},
		{"reference", []string{"url", "contentType"}, []property{{"url", &schema{typ: "string", format: "uri"}, nil}}},
		{"link", []string{"artifact"}, []property{{"artifact", &schema{typ: "string"}, nil}}},
		{"error", []string{"reason", "message"}, []property{{"message", short(4096), nil}, {"reason",
			oneOf("file-missing-on-worker", "invalid-resource-on-worker", "too-large-file-on-worker", "file-not-readable-on-worker"), nil}}},
	}
	for _, k := range kinds {
		s := &schema{typ: "object", required: append([]string{"storageType", "expires"}, k.required...),
			properties: append([]property{{"storageType", oneOf(k.storage), nil}, {"expires", date(), nil}}, k.others...)}
		if k.storage != "error" {
			s.properties = append(s.properties, property{"contentType", short(255), nil})
		}
		all = append(all, s)
	}
	return all
}
