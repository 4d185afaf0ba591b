// Package s3test runs a real S3 server for tests: versitygw over a temporary folder, on the loopback interface, with credentials that are
// made up for each server. A [Proxy] in front of it counts requests and makes faults: resets, errors, stalls, truncated answers.
//
// The server is built once from the module in internal/tools/versitygw, which this module does not depend on, and kept in the user's cache.
package s3test
