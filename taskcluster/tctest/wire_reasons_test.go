package tctest_test

import "github.com/tafc/tafc/taskcluster/tctest"

const (
	noRequest = "the request was not recorded; "
	cutBody   = "the body was recorded without its middle; "
)

// notReplayed are the recordings that TestWire leaves out, each with its reason. Rules among them have a test of their own.
var notReplayed = map[string]string{
	"INDEX":                                   "the list of the recordings",
	"limits-summary":                          "measurements of a live server",
	"worker-behaviour":                        "what workers do, not services",
	"claimWork-priority-order":                noRequest + "TestPriorities",
	"createTask-concurrent":                   noRequest + "TestConcurrentCreates",
	"getLatestArtifact-s3-followed":           noRequest + "TestArtifactKinds",
	"getLatestArtifact-private-follow":        noRequest + "TestArtifactKinds",
	"hawk-bewit":                              noRequest + "TestBewit",
	"hawk-payload-hash-good":                  noRequest + "TestPayloadHash",
	"hawk-payload-hash-wrong":                 noRequest + "TestPayloadHash",
	"hawk-replay":                             noRequest + "TestSignatures",
	"hawk-skew-minus16min":                    noRequest + "TestClockSkew",
	"hawk-skew-plus10min":                     noRequest + "TestClockSkew",
	"hawk-skew-plus16min":                     noRequest + "TestClockSkew",
	"limits-createTask-100-dependencies":      "the tasks that it names were not recorded; TestManyDependencies",
	"limits-createTask-1000-dependencies":     cutBody + "TestManyDependencies",
	"limits-createTask-5000-dependencies":     cutBody + "TestManyDependencies",
	"limits-createTask-10000-dependencies":    cutBody + "TestManyDependencies",
	"limits-createTask-10001-dependencies":    cutBody + "TestManyDependencies",
	"limits-createTask-largest-accepted":      cutBody + "TestBodyLimit",
	"limits-createTask-one-byte-more":         cutBody + "TestBodyLimit",
	"limits-field-scopes10k":                  cutBody + "ten thousand scopes are only longer than ten",
	"limits-listTaskGroup-default-page":       "the answer was recorded without its middle; TestGroupPages",
	"limits-dockercompose-nginx-body-1048577": "the limit of a deployment's reverse proxy; TestFrontLimit",
	"listWorkers":                             "worker metadata is not served",
}

// prepared is what was done to the live server before a recording.
var prepared = map[string]func(*tctest.Server){
	"fault-auth-down-createTask":       func(s *tctest.Server) { s.SetAuthDown(true) },
	"fault-auth-back-createTask":       func(s *tctest.Server) { s.SetAuthDown(false) },
	"fault-queue-down-createTask":      func(s *tctest.Server) { s.Inject(tctest.Fault{Method: "createTask", Status: 502}) },
	"fault-rabbit-frozen-createTask":   func(s *tctest.Server) { s.Inject(tctest.Fault{Method: "createTask", Status: 504}) },
	"fault-postgres-frozen-createTask": func(s *tctest.Server) { s.Inject(tctest.Fault{Method: "createTask", Status: 504}) },
}
