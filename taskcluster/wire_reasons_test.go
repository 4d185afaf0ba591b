package taskcluster_test

import "maps"

// mode is what TestWire does with a recorded exchange.
type mode int

const (
	replayed   mode = iota // the call is made again: the same request, the same result
	answerOnly             // the request is one that the client does not make; it must understand the answer
	refused                // the client does not send such a request
	content                // it is the answer of a store, read with OpenContent
	unused
)

// modeOf says what to do with an exchange, and why unless it is replayed.
func modeOf(x exchange) (mode, string) {
	if reason := notCalls[x.file]; reason != "" {
		return unused, reason
	}
	if reason := onlyAnswers[x.file]; reason != "" {
		return answerOnly, reason
	}
	switch x.file {
	case "createTask-18-nul-in-payload", "createTask-18b-lone-surrogate":
		return refused, "the queue cannot store it"
	case "getLatestArtifact-private-follow", "getLatestArtifact-s3-followed":
		return content, "an answer of the store"
	}
	if x.Request.Query["continuationToken"] != "" {
		return unused, "a further page whose list does not begin in a recorded one"
	}
	if body, ok := x.Request.Body.(map[string]any); ok && body["truncated"] == true {
		return answerOnly, "the body was not recorded whole"
	}
	return replayed, ""
}

// onlyAnswers are exchanges whose requests the client does not make, and why.
var onlyAnswers = map[string]string{
	"auth-awsS3Credentials-iam-role-compat": "the client asks for no other format",
	"auth-bewit-and-header":                 "the client signs in one way at a time",
	"createTask-06-invalid-schema-400":      "a TaskDefinition has no such fields",
	"createTask-14-malformed-json":          "the client sends JSON",
	"createTask-14b-text-plain":             "the client says that it sends JSON",
	"createTask-14c-no-content-type":        "the client says that it sends JSON",
	"createTask-14d-empty-body":             "the client sends a task",
	"limits-field-metaExtraKey":             "a TaskDefinition has no such field",
	"limits-field-tagNumber":                "tags of a TaskDefinition are text",
	"listTaskGroup-limit0":                  "no limit is no limit",
	"task-unknown-query-400":                "the client sends no such query",
	"task-method-not-allowed":               "tasks are not deleted",
	"route-404":                             "there is no such call",
	"hawk-payload-hash-good":                "only the answer was recorded",
	"hawk-payload-hash-wrong":               "only the answer was recorded",
	"hawk-skew-minus16min":                  "only the answer was recorded",
	"hawk-skew-plus10min":                   "only the answer was recorded",
	"hawk-skew-plus16min":                   "only the answer was recorded",
}

// notCalls are exchanges with which nothing can be tested here, and why.
var notCalls = all(
	because("tafc does not manage clients and roles", "auth-createClient", "auth-createClient-again", "auth-createClient-slash-unencoded",
		"auth-getClient", "auth-getRole-404", "auth-getRole-anonymous"),
	because("tafc writes and lists no secrets", "secrets-delete", "secrets-delete-again", "secrets-list", "secrets-put", "secrets-put-bad",
		"secrets-put-expired", "secrets-put-repeat-changed"),
	because("a worker puts the content, not the client", "createArtifact-s3-02-PUT-to-putUrl", "createArtifact-s3-08-PUT-private"),
	because("tafc stores nothing in the object service", "object-createUpload-data-inline", "object-createUpload-put-url", "object-finishUpload",
		"object-finishUpload-inline"),
	because("objects are read with startDownload", "object-download"),
	because("tafc does not need this call", "changeTaskPriority-01", "claimTask-running", "listTaskQueues", "listWorkers", "lbheartbeat", "options-cors", "version"),
	because("a summary, not an exchange", "claimWork-priority-order", "createTask-concurrent", "hawk-bewit", "hawk-replay", "limits-summary", "worker-behaviour"),
)

func because(reason string, files ...string) map[string]string {
	m := map[string]string{}
	for _, file := range files {
		m[file] = reason
	}
	return m
}

func all(parts ...map[string]string) map[string]string {
	m := map[string]string{}
	for _, part := range parts {
		maps.Copy(m, part)
	}
	return m
}
