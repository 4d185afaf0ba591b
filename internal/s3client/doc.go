// Package s3client talks to S3 and to servers that speak its protocol, through the AWS SDK: where credentials, the region and the
// endpoint come from, what is tried again, and what errors say. docs/decisions/0021-s3.md tells why it is set up so.
//
// Credentials are found by the SDK's default chain and stay in the SDK: nothing here stores or prints them.
package s3client
