package s3

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/tafc/tafc/internal/s3client"
)

// pageKeys is how many keys a server gives at most for one request.
const pageKeys = 1000

// page is one answer of the server. Keys and prefixes are whole, as the bucket has them.
type page struct {
	objects  []object
	prefixes []string // that end with the delimiter, when one was asked for
	last     string   // the last key or prefix, empty when there is none
	next     string   // continuation token; empty: the listing ends here
}

type object struct {
	key, etag string
	size      int64
	modified  int64 // Unix time in seconds
}

// request is what a page is asked for.
type request struct {
	prefix    string
	after     string // only keys behind this one
	delimiter string // keys with it behind the prefix are told as prefixes
	token     string // to go on where the page before ended
}

// lister asks for pages.
type lister interface {
	list(ctx context.Context, r request) (*page, error)
}

// bucket is the lister of a real bucket.
type bucket struct{ *s3client.Bucket }

func (b bucket) list(ctx context.Context, r request) (*page, error) {
	in := &sdk.ListObjectsV2Input{Prefix: &r.prefix, EncodingType: types.EncodingTypeUrl, MaxKeys: aws.Int32(pageKeys)}
	if r.delimiter != "" {
		in.Delimiter = &r.delimiter
	}
	if r.token != "" {
		in.ContinuationToken = &r.token
	} else if r.after != "" {
		in.StartAfter = &r.after
	}
	out, err := b.List(ctx, in)
	if err != nil {
		return nil, err
	}
	return newPage(out)
}

func newPage(out *sdk.ListObjectsV2Output) (*page, error) {
	decode := func(s *string) (string, error) { return aws.ToString(s), nil }
	if out.EncodingType == types.EncodingTypeUrl { // some servers do not know it
		decode = func(s *string) (string, error) { return url.QueryUnescape(aws.ToString(s)) }
	}
	p := &page{objects: make([]object, 0, len(out.Contents))}
	for i := range out.Contents {
		o := &out.Contents[i]
		key, err := decode(o.Key)
		if err != nil {
			return nil, fmt.Errorf("the server lists a key that cannot be decoded: %w", err)
		}
		p.last = max(p.last, key)
		var modified int64
		if o.LastModified != nil {
			modified = o.LastModified.Unix()
		}
		p.objects = append(p.objects, object{key: key, etag: strings.Trim(aws.ToString(o.ETag), `"`), size: aws.ToInt64(o.Size), modified: modified})
	}
	for _, c := range out.CommonPrefixes {
		prefix, err := decode(c.Prefix)
		if err != nil {
			return nil, fmt.Errorf("the server lists a prefix that cannot be decoded: %w", err)
		}
		p.last = max(p.last, prefix)
		p.prefixes = append(p.prefixes, prefix)
	}
	if aws.ToBool(out.IsTruncated) {
		if p.next = aws.ToString(out.NextContinuationToken); p.next == "" {
			return nil, fmt.Errorf("the server cut a listing short and does not say where it goes on")
		}
	}
	return p, nil
}
