package s3client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

// Upload is what is to become an object.
type Upload struct {
	Key         string
	ContentType string
	// PartSize is from which size on an object is sent in parts, and the size of each, in bytes; 0: 8 MiB. S3 takes parts of 5 MiB or more.
	PartSize int64
}

// Uploaded is what became of it.
type Uploaded struct {
	Size      int64
	SHA256    string // in hex; the object has it in its metadata
	Unchanged bool   // the object was there with the same content, so that nothing was sent
}

const (
	sumKey       = "sha256" // of the metadata
	partSize     = 8 << 20
	maxParts     = 10_000
	partsAtOnce  = 4
	abortTimeout = 30 * time.Second
)

// Put makes an object of a file, which is read several times. Readers see the object before or the whole new one, never a part: large objects
// are sent in parts, which become the object in one step, and are taken back when anything fails or ctx ends. What goes wrong is an *Error, or of the file.
func (b *Bucket) Put(ctx context.Context, f *os.File, u Upload) (Uploaded, error) {
	digest := sha256.New()
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return Uploaded{}, err
	}
	size, err := io.Copy(digest, f)
	if err != nil {
		return Uploaded{}, err
	}
	done := Uploaded{Size: size, SHA256: hex.EncodeToString(digest.Sum(nil))}
	api, err := b.client(ctx)
	if err != nil {
		return done, err
	}
	same, err := b.has(ctx, api, u.Key, done)
	if same || err != nil {
		done.Unchanged = same
		return done, err
	}
	p := &put{b: b, api: api, f: f, Upload: u, Uploaded: done}
	if p.PartSize <= 0 {
		p.PartSize = partSize
	}
	p.PartSize = max(p.PartSize, (size+maxParts-1)/maxParts)
	if size <= p.PartSize {
		err = p.whole(ctx)
	} else {
		err = p.parts(ctx)
	}
	if err != nil {
		// The answer may have been lost, and not what it answers.
		if there, failed := b.has(ctx, api, u.Key, done); failed == nil && there {
			return done, nil
		}
		return done, err
	}
	b.reached.Store(true)
	return done, nil
}

// has tells whether an object has this content, as its metadata say.
func (b *Bucket) has(ctx context.Context, api *s3.Client, key string, want Uploaded) (bool, error) {
	in := &s3.HeadObjectInput{Bucket: &b.name, Key: &key}
	out, err := api.HeadObject(ctx, in, b.options)
	if region := rightRegion(err); region != "" && b.move(region) {
		out, err = api.HeadObject(ctx, in, b.options)
	}
	if err != nil {
		err = b.explain(ctx, err)
		// Without the permission to list, or to read, what is missing is forbidden: that does not forbid to write.
		if e := (*Error)(nil); errors.As(err, &e) && (e.Status == 404 || e.Status == 403) {
			return false, nil
		}
		return false, err
	}
	return aws.ToInt64(out.ContentLength) == want.Size && out.Metadata[sumKey] == want.SHA256, nil
}

// put is an upload that is going on.
type put struct {
	Upload
	Uploaded
	b   *Bucket
	api *s3.Client
	f   *os.File
}

// options leave out the SDK's own checksums of bodies, which not all servers know: a signature with the SHA-256 of each body, or TLS, protects them anyway.
func (p *put) options(o *s3.Options) {
	p.b.options(o)
	o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
}

func (p *put) whole(ctx context.Context) error {
	_, err := p.api.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &p.b.name, Key: &p.Key, ContentType: &p.ContentType, Metadata: map[string]string{sumKey: p.SHA256},
		Body: io.NewSectionReader(p.f, 0, p.Size), ContentLength: &p.Size,
	}, p.options)
	return p.explain(ctx, err)
}

func (p *put) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	err = p.b.explain(ctx, err)
	if e := (*Error)(nil); errors.As(err, &e) && (e.Code == "AccessDenied" || e.Code == "Forbidden") && p.b.none == nil && !p.b.config.Anonymous {
		e.Text = fmt.Sprintf("writing to bucket %q is denied; the credentials that are used need the permissions s3:PutObject and s3:AbortMultipartUpload on arn:aws:s3:::%s/%s", p.b.name, p.b.name, p.Key)
	}
	return err
}

func (p *put) parts(ctx context.Context) (err error) {
	begun, err := p.api.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &p.b.name, Key: &p.Key, ContentType: &p.ContentType, Metadata: map[string]string{sumKey: p.SHA256},
	}, p.options)
	if err != nil {
		return p.explain(ctx, err)
	}
	defer func() {
		if err != nil {
			p.abort(ctx, begun.UploadId)
		}
	}()
	sent := make([]types.CompletedPart, (p.Size+p.PartSize-1)/p.PartSize)
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(partsAtOnce)
	for i := range sent {
		group.Go(func() error {
			at, number := int64(i)*p.PartSize, int32(i+1)
			size := min(p.PartSize, p.Size-at)
			out, err := p.api.UploadPart(within, &s3.UploadPartInput{
				Bucket: &p.b.name, Key: &p.Key, UploadId: begun.UploadId, PartNumber: &number,
				Body: io.NewSectionReader(p.f, at, size), ContentLength: &size,
			}, p.options)
			if err != nil {
				return p.explain(within, err)
			}
			sent[i] = types.CompletedPart{PartNumber: &number, ETag: out.ETag}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	_, err = p.api.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &p.b.name, Key: &p.Key, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: sent},
	}, p.options)
	return p.explain(ctx, err)
}

// abort takes back what was sent, also when ctx has ended: parts that nobody takes back are paid for.
func (p *put) abort(ctx context.Context, upload *string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	// When that fails too there is nothing more to do: the error that led here is the one to tell.
	_, _ = p.api.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &p.b.name, Key: &p.Key, UploadId: upload}, p.options)
}
