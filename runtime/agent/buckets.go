package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tafc/tafc/runtime/job"
)

// early is how long before their end temporary credentials are replaced, so that no download loses them on its way.
const early = 5 * time.Minute

// buckets says for each bucket where its credentials come from; nil: from the worker. They stay in this process: user code gets none.
func (a *agent) buckets(b *Buckets) func(bucket string) aws.CredentialsProvider {
	if b.Secret != "" {
		provider := aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) { return a.fromSecret(ctx, b.Secret) }))
		return func(string) aws.CredentialsProvider { return provider }
	}
	providers := map[string]aws.CredentialsProvider{}
	for _, g := range b.Auth {
		providers[g.Bucket] = aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) { return a.granted(ctx, g) }))
	}
	return func(bucket string) aws.CredentialsProvider { return providers[bucket] }
}

// granted asks Taskcluster for credentials.
func (a *agent) granted(ctx context.Context, g Grant) (aws.Credentials, error) {
	tc, err := a.services()
	if err != nil {
		return aws.Credentials{}, err
	}
	c, err := tc.Auth.AwsS3Credentials(ctx, "read-only", g.Bucket, g.Prefix)
	if err != nil {
		return aws.Credentials{}, refused(ctx, fmt.Sprintf("read-only credentials for s3://%s/%s", g.Bucket, g.Prefix), err)
	}
	a.j.event("agent.credentials", "bucket", g.Bucket, "prefix", g.Prefix, "expires", c.Expires)
	return aws.Credentials{
		AccessKeyID: c.Credentials.AccessKeyID, SecretAccessKey: c.Credentials.SecretAccessKey, SessionToken: c.Credentials.SessionToken,
		Source: "Taskcluster", CanExpire: true, Expires: c.Expires.Add(-early),
	}, nil
}

// The names that the parts of credentials have in secrets: those of Taskcluster, and those of AWS for the environment and for files.
var (
	keyNames     = []string{"accessKeyId", "AWS_ACCESS_KEY_ID", "aws_access_key_id"}
	secretNames  = []string{"secretAccessKey", "AWS_SECRET_ACCESS_KEY", "aws_secret_access_key"}
	sessionNames = []string{"sessionToken", "AWS_SESSION_TOKEN", "aws_session_token"}
)

// fromSecret reads credentials that the secrets service keeps.
func (a *agent) fromSecret(ctx context.Context, name string) (aws.Credentials, error) {
	fields, err := a.secret(ctx, name)
	if err != nil {
		return aws.Credentials{}, err
	}
	c := aws.Credentials{AccessKeyID: first(fields, keyNames), SecretAccessKey: first(fields, secretNames), SessionToken: first(fields, sessionNames), Source: "Taskcluster"}
	if c.AccessKeyID == "" || c.SecretAccessKey == "" {
		return aws.Credentials{}, &Failure{
			Cause: job.CauseBadSpec, Message: fmt.Sprintf("the secret %s holds no credentials for buckets", name),
			Hint: fmt.Sprintf("give it the fields %s and %s, and %s if they are temporary", keyNames[0], secretNames[0], sessionNames[0]),
		}
	}
	return c, nil
}

func first(fields map[string]json.RawMessage, names []string) string {
	for _, n := range names {
		var text string
		if json.Unmarshal(fields[n], &text) == nil && text != "" {
			return strings.TrimSpace(text)
		}
	}
	return ""
}
