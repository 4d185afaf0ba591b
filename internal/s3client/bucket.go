package s3client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
)

// Config says how to reach a bucket. The zero value leaves everything to the environment and the shared configuration files.
type Config struct {
	Endpoint  string        // of a server other than AWS, such as http://localhost:9000
	Region    string        // a wrong one is corrected when the server tells the right one
	Profile   string        // of the shared configuration files
	Anonymous bool          // requests are not signed, no credentials are looked for
	PathStyle *bool         // the bucket stands in the path, not in the host; nil: only with an endpoint of one's own
	Timeout   time.Duration // of one attempt at a request, its whole answer included; 0: a minute; negative: none
	Attempts  int           // at a request; 0: as many as suit a listing
	// Credentials are where they come from; nil: from the environment and the shared configuration files.
	Credentials aws.CredentialsProvider
}

// Check finds what is wrong with a configuration without a look at anything else.
func (c Config) Check() error {
	if c.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(c.Endpoint)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("the endpoint %q is not the URL of a server, such as https://s3.example.org", c.Endpoint)
	case u.User != nil:
		return errors.New("the endpoint holds a user name or password; credentials come from the environment or the AWS configuration files")
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("the endpoint %q has a query or a fragment; write only the server, such as https://s3.example.org", c.Endpoint)
	}
	return nil
}

// Bucket is a bucket of a server. It is safe for concurrent use. Nothing is looked up before the first request.
type Bucket struct {
	name   string
	config Config

	open sync.Mutex
	api  *s3.Client
	none error // why there are no credentials, nil when there are some, or none are wanted

	region  atomic.Pointer[string] // the right one, when another was configured
	reached atomic.Bool            // the server has answered at least once
}

// New makes a Bucket.
func New(name string, config Config) *Bucket { return &Bucket{name: name, config: config} }

// List asks for a page of the bucket's keys. What goes wrong after all retries is an *Error.
func (b *Bucket) List(ctx context.Context, in *s3.ListObjectsV2Input, more ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	api, err := b.client(ctx)
	if err != nil {
		return nil, err
	}
	in.Bucket = &b.name
	options := append([]func(*s3.Options){b.options}, more...)
	out, err := api.ListObjectsV2(ctx, in, options...)
	if region := rightRegion(err); region != "" && b.move(region) {
		out, err = api.ListObjectsV2(ctx, in, options...)
	}
	if err != nil {
		return nil, b.explain(ctx, err)
	}
	b.reached.Store(true)
	return out, nil
}

// Get asks for an object, or a part of it. The caller closes the body. What goes wrong is an *Error.
func (b *Bucket) Get(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	api, err := b.client(ctx)
	if err != nil {
		return nil, err
	}
	in.Bucket = &b.name
	out, err := api.GetObject(ctx, in, b.options)
	if region := rightRegion(err); region != "" && b.move(region) {
		out, err = api.GetObject(ctx, in, b.options)
	}
	if err != nil {
		err = b.explain(ctx, err)
		if e := (*Error)(nil); errors.As(err, &e) && expired(e.Code) {
			b.forget(api) // new ones may be where the old ones came from
		}
		return nil, err
	}
	b.reached.Store(true)
	return out, nil
}

// Open reads a whole object. What goes wrong before its first byte is an *Error.
func (b *Bucket) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	out, err := b.Get(ctx, &s3.GetObjectInput{Key: &key})
	if err != nil {
		return nil, err
	}
	return out.Body, nil
}

// forget lets the next request look for configuration and credentials again.
func (b *Bucket) forget(api *s3.Client) {
	b.open.Lock()
	defer b.open.Unlock()
	if b.api == api {
		b.api = nil
	}
}

// options are those of one request.
func (b *Bucket) options(o *s3.Options) {
	if r := b.region.Load(); r != nil {
		o.Region = *r
	}
}

// move changes the region. It is false when that was tried already, so that a server cannot send us in circles.
func (b *Bucket) move(region string) bool {
	old := b.region.Load()
	return old != nil && *old == region || old == nil && b.region.CompareAndSwap(nil, &region)
}

// client finds configuration and credentials, once.
func (b *Bucket) client(ctx context.Context) (*s3.Client, error) {
	b.open.Lock()
	defer b.open.Unlock()
	if b.api != nil {
		return b.api, nil
	}
	if err := b.config.Check(); err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx, b.loadOptions()...)
	if err != nil {
		return nil, b.explain(ctx, err)
	}
	if !b.config.Anonymous && cfg.Credentials != nil {
		// The chain ends with a look for the role of an EC2 machine. Where that finds nothing, there are no credentials.
		if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
			if !strings.Contains(err.Error(), "no EC2 IMDS role found") || ctx.Err() != nil {
				return nil, b.explain(ctx, err)
			}
			b.none = err
			cfg.Credentials = aws.AnonymousCredentials{}
		}
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1" // any will do: the answer tells the right one
	}
	b.api = s3.NewFromConfig(cfg, func(o *s3.Options) {
		if b.config.Endpoint != "" {
			o.BaseEndpoint = &b.config.Endpoint
		}
		o.UsePathStyle = o.BaseEndpoint != nil
		if b.config.PathStyle != nil {
			o.UsePathStyle = *b.config.PathStyle
		}
	})
	return b.api, nil
}

// connections is how many connections to the server are kept.
const connections = 64

func (b *Bucket) loadOptions() []func(*config.LoadOptions) error {
	timeout := b.config.Timeout
	switch {
	case timeout == 0:
		timeout = time.Minute
	case timeout < 0:
		timeout = 0
	}
	client := awshttp.NewBuildableClient().WithTimeout(timeout).WithTransportOptions(keepConnections)
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		config.WithRetryer(b.retryer),
		config.WithLogger(logging.Nop{}), // what matters is in the errors
		config.WithEC2RoleCredentialOptions(quickRole),
	}
	if b.config.Region != "" {
		options = append(options, config.WithRegion(b.config.Region))
	}
	if b.config.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(b.config.Profile))
	}
	if b.config.Credentials != nil {
		options = append(options, config.WithCredentialsProvider(b.config.Credentials))
	}
	if b.config.Anonymous {
		options = append(options, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	return options
}

// quickRole asks for the role of an EC2 machine in a way that does not take long where there is no such service: on a laptop the
// address of the service goes nowhere.
func quickRole(o *ec2rolecreds.Options) {
	o.Client = imds.New(imds.Options{
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(2 * time.Second),
		Retryer:    aws.NopRetryer{},
		// What AWS_EC2_METADATA_DISABLED says counts here too.
		ClientEnableState: metadataState(),
	})
}
