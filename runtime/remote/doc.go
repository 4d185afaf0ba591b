// Package remote reads planned files from S3 and from web servers: from any offset on, and only as long as the store has what was
// planned. It makes one attempt at a time; whoever reads decides about others. docs/decisions/0022-fetching.md tells why it is set up so.
package remote
