package s3

import (
	"context"

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
	var p *page
	_, err := b.List(ctx, in, s3client.WithBody(func(body []byte) (err error) {
		p, err = parsePage(string(body))
		return err
	}))
	return p, err
}
