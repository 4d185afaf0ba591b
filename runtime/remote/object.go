package remote

import (
	"context"
	"crypto/md5" //nolint:gosec // what S3 has for entity tags, no protection
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pin"
)

// Object is one planned file of a store. It is not safe for concurrent use.
type Object struct {
	plan  job.File
	store store

	etag   string    // of the answers so far, without quotes; empty: none was told
	sum    hash.Hash // MD5 of what was read; nil when nothing is known to compare it with
	summed int64     // bytes in it
}

// answer is the beginning of what a store says to a request.
type answer struct {
	body   io.ReadCloser
	etag   string // without quotes; empty: none was told
	size   int64  // of the whole file; negative: not told
	from   int64  // offset of the body's first byte
	sealed bool   // the entity tag is no MD5, because the store has encrypted the file
}

// store answers requests for one file. match is the entity tag that the file must have, without quotes; empty: any.
type store interface {
	get(ctx context.Context, at int64, match string) (*answer, error)
}

// Open gives the bytes of the file from an offset on. Only ctx ends a body that stalls. Errors, also those of the body, are of ctx or an *Error.
func (o *Object) Open(ctx context.Context, at int64) (io.ReadCloser, error) {
	match := o.etag
	if match == "" && o.pinned() {
		match = o.plan.ETag
	}
	a, err := o.store.get(ctx, at, match)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	if err := o.accept(a, at); err != nil {
		a.body.Close()
		return nil, err
	}
	return &body{ctx: ctx, ReadCloser: a.body, o: o, at: at}, nil
}

// pinned tells whether the planned entity tag is one that the store may have given. Digests that an index has of its own, and the tags
// of local files that were copied to the store, are not.
func (o *Object) pinned() bool {
	etag := o.plan.ETag
	if o.web() && isHex(etag, 32) {
		return false // of the content, and not what web servers call entity tag
	}
	return etag != "" && !isHex(etag, 40) && !isHex(etag, 64) && !pin.IsFile(etag, o.plan.Size)
}

func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// accept compares an answer with the plan and with the answers before.
func (o *Object) accept(a *answer, at int64) error {
	known := o.etag
	if known == "" && o.pinned() {
		known = o.plan.ETag
	}
	same := known != "" && a.etag == known
	switch {
	case known != "" && a.etag != "" && !same:
		return changed("file %s is not the one that was planned: planned entity tag %s, found %s", o.plan.Key, known, a.etag)
	case o.plan.Size >= 0 && a.size >= 0 && a.size != o.plan.Size && same:
		return temporary(nil, "the answer has %d bytes of %d", a.size, o.plan.Size)
	case o.plan.Size >= 0 && a.size >= 0 && a.size != o.plan.Size:
		return changed("file %s is not the one that was planned: planned %d bytes, found %d", o.plan.Key, o.plan.Size, a.size)
	case a.from > at:
		return temporary(nil, "the answer begins at byte %d, not at %d", a.from, at)
	case at > 0 && a.from < at && known != "" && a.etag == "":
		return changed("file %s cannot be read on at byte %d: the server no longer tells its entity tag", o.plan.Key, at)
	}
	if a.from < at { // the server knows no ranges
		if _, err := io.CopyN(io.Discard, a.body, at-a.from); err != nil {
			return temporary(err, "the answer broke off: %v", err)
		}
	}
	if o.etag == "" {
		o.etag = a.etag
	}
	wanted := isHex(o.plan.ETag, 32) || isHex(a.etag, 32) && !o.web()
	if at == 0 && wanted && !a.sealed {
		o.sum, o.summed = md5.New(), 0 //nolint:gosec // see above
	}
	return nil
}

// Verify compares what was read with the checksum that the plan or the store has, after the last byte.
func (o *Object) Verify() error {
	if o.sum == nil || o.plan.Size >= 0 && o.summed != o.plan.Size {
		return nil
	}
	found := hex.EncodeToString(o.sum.Sum(nil))
	if want := strings.ToLower(o.plan.ETag); isHex(want, 32) && want != found && !strings.EqualFold(want, o.etag) {
		return changed("file %s is not the one that was planned: planned MD5 %s, found %s", o.plan.Key, want, found)
	}
	if isHex(o.etag, 32) && !o.web() && !strings.EqualFold(o.etag, found) {
		return &Error{Kind: Final, Text: fmt.Sprintf("file %s arrived damaged: its MD5 is %s, and the store says %s", o.plan.Key, found, o.etag),
			Hint: "try again; when it happens again, the object in the store is damaged: replace it"}
	}
	return nil
}

// web tells whether the store is a web server, whose entity tags say nothing of the content.
func (o *Object) web() bool {
	_, web := o.store.(*page)
	return web
}

// body counts and sums what is read, and says errors in our words.
type body struct {
	io.ReadCloser
	ctx context.Context
	o   *Object
	at  int64
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.o.sum != nil && b.at == b.o.summed {
		_, _ = b.o.sum.Write(p[:n]) // never fails
		b.o.summed += int64(n)
	}
	b.at += int64(n)
	switch {
	case err == nil:
	case b.ctx.Err() != nil:
		err = context.Cause(b.ctx)
	case err == io.EOF && b.at < b.o.plan.Size:
		err = temporary(io.ErrUnexpectedEOF, "the answer ended after %d of %d bytes", b.at, b.o.plan.Size)
	case err == io.EOF:
	default:
		of := ""
		if b.o.plan.Size >= 0 {
			of = fmt.Sprintf(" of %d", b.o.plan.Size)
		}
		err = temporary(err, "the connection broke after %d%s bytes: %v", b.at, of, innermost(err))
	}
	return n, err
}
