package remote

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/tafc/tafc/internal/s3client"
	"github.com/tafc/tafc/runtime/job"
)

// Client finds the stores of files. It is safe for concurrent use. Nothing is looked up before the first request.
type Client struct {
	config      s3client.Config
	credentials func(bucket string) aws.CredentialsProvider

	mu      sync.Mutex
	buckets map[string]*s3client.Bucket
}

// New makes a Client; x may be nil.
func New(x *job.S3) *Client {
	c := &Client{buckets: map[string]*s3client.Bucket{}}
	if x != nil {
		c.config = s3client.Config{Endpoint: x.Endpoint, Region: x.Region, Profile: x.Profile, Anonymous: x.Anonymous, PathStyle: x.PathStyle}
	}
	// Attempts and their time are those of the spec, which the reader counts.
	c.config.Attempts, c.config.Timeout = 1, -1
	return c
}

// WithCredentials takes the credentials for a bucket from a function; where it returns nil, they come from the environment. It returns c.
func (c *Client) WithCredentials(credentials func(bucket string) aws.CredentialsProvider) *Client {
	c.credentials = credentials
	return c
}

// Knows tells whether this package reads a URL.
func Knows(u string) bool {
	scheme, _, ok := strings.Cut(u, "://")
	return ok && (scheme == "s3" || scheme == "https" || scheme == "http")
}

// Object is a planned file. Nothing is asked of the store yet; an error says that its URL makes no sense.
func (c *Client) Object(plan job.File) (*Object, error) {
	u, err := url.Parse(plan.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the URL of a file makes no sense: %w", err)
	case u.Host == "" || u.User != nil:
		return nil, errors.New("the URL of a file has no host, or a user in it")
	case u.Scheme != "s3":
		return &Object{plan: plan, store: &page{url: plan.URL, key: plan.Key}}, nil
	case len(u.Path) < 2:
		return nil, fmt.Errorf("%q names no object of a bucket: write s3://BUCKET/KEY", plan.URL)
	}
	return &Object{plan: plan, store: &object{bucket: c.bucket(u.Host), name: u.Host, key: u.Path[1:], file: plan.Key}}, nil
}

func (c *Client) bucket(name string) *s3client.Bucket {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.buckets[name]
	if b == nil {
		config := c.config
		if c.credentials != nil {
			config.Credentials = c.credentials(name)
		}
		b = s3client.New(name, config)
		c.buckets[name] = b
	}
	return b
}

// object is an object of a bucket.
type object struct {
	bucket    *s3client.Bucket
	name, key string
	file      string // key of the plan, for messages
}

func (s *object) get(ctx context.Context, at int64, match string) (*answer, error) {
	in := &s3.GetObjectInput{Key: &s.key}
	if at > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", at))
	}
	if match != "" {
		in.IfMatch = aws.String(`"` + match + `"`)
	}
	out, err := s.bucket.Get(ctx, in)
	if err != nil {
		return nil, s.explain(err, match)
	}
	a := &answer{body: out.Body, etag: strings.Trim(aws.ToString(out.ETag), `"`), size: -1}
	if out.ContentLength != nil {
		a.size = *out.ContentLength
	}
	if from, size, ok := contentRange(aws.ToString(out.ContentRange)); ok {
		a.from, a.size = from, size
	}
	a.sealed = out.SSECustomerAlgorithm != nil || out.ServerSideEncryption != "" && out.ServerSideEncryption != types.ServerSideEncryptionAes256
	return a, nil
}

func (s *object) explain(err error, match string) error {
	var e *s3client.Error
	if !errors.As(err, &e) {
		return temporary(err, "%v", err)
	}
	switch {
	case e.Code == "NoSuchKey" || e.Status == 404 && e.Code != "NoSuchBucket":
		return &Error{Kind: Final, Text: fmt.Sprintf("file %s is missing: bucket %q has no object %s", s.file, s.name, s.key), Hint: hintMissing, Err: err}
	case e.Status == 412:
		return changed("file %s is not the one that was planned: its entity tag is no longer %s", s.file, match)
	case e.Status == 416:
		return changed("file %s is not the one that was planned: it is shorter now", s.file)
	case e.Code == "InvalidObjectState":
		return &Error{Kind: Final, Text: fmt.Sprintf("file %s is archived and cannot be read", s.file), Hint: "restore the object from the archive, then run again", Err: err}
	case e.Code == "AccessDenied" || e.Code == "Forbidden":
		return &Error{Kind: Final, Text: fmt.Sprintf("file %s is refused: %s", s.file, e.Text),
			Hint: "tasks need s3:GetObject on arn:aws:s3:::" + s.name + "/*; without s3:ListBucket a missing object is refused as well", Err: err}
	case e.Code == "NoSuchBucket" || e.Status == 403 && e.Code != "RequestTimeTooSkewed":
		return &Error{Kind: Final, Text: e.Text, Err: err}
	}
	return temporary(err, "%s", e.Text)
}

// contentRange reads bytes FROM-TO/SIZE; size is negative for *.
func contentRange(text string) (from, size int64, ok bool) {
	rest, found := strings.CutPrefix(text, "bytes ")
	span, total, cut := strings.Cut(rest, "/")
	first, _, dash := strings.Cut(span, "-")
	from, err := strconv.ParseInt(first, 10, 64)
	if !found || !cut || !dash || err != nil || from < 0 {
		return 0, 0, false
	}
	if size, err = strconv.ParseInt(total, 10, 64); err != nil {
		size = -1
	}
	return from, size, true
}
