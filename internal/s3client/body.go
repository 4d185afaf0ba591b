package s3client

import (
	"bytes"
	"context"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// WithBody is an option of List: the text of a good answer, an XML document, goes to parse, and an empty document to the SDK, whose own reading of a
// page of keys takes longer than all else that is done with it. The answer is asked for again when parse returns an error. Answers that tell of
// errors are left to the SDK.
func WithBody(parse func([]byte) error) func(*s3.Options) {
	read := middleware.DeserializeMiddlewareFunc("ReadBody", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		resp, ok := out.RawResponse.(*smithyhttp.Response)
		if err != nil || !ok || resp.StatusCode < 200 || resp.StatusCode > 299 {
			return out, metadata, err
		}
		var buf bytes.Buffer
		if resp.ContentLength > 0 {
			buf.Grow(int(min(resp.ContentLength, 4<<20)) + bytes.MinRead)
		}
		_, err = buf.ReadFrom(resp.Body)
		resp.Body.Close()
		if err == nil {
			err = parse(buf.Bytes())
		}
		if err != nil {
			return out, metadata, &smithy.DeserializationError{Err: err}
		}
		resp.Body = io.NopCloser(bytes.NewReader([]byte("<ListBucketResult/>")))
		return out, metadata, nil
	})
	return func(o *s3.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Deserialize.Insert(read, "OperationDeserializer", middleware.After)
		})
	}
}
