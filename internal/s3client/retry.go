package s3client

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go"
)

// What is tried again, with growing pauses of random length.
const (
	attempts = 8
	maxPause = 20 * time.Second
)

// attempts is how many attempts at a request there are.
func (b *Bucket) attempts() int {
	if b.config.Attempts > 0 {
		return b.config.Attempts
	}
	return attempts
}

// retryer is the SDK's standard one, with more patience, and without its quota of retries: a listing makes thousands of requests
// at once, and a store that is slow for some seconds would use it up for all.
func (b *Bucket) retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = b.attempts()
		o.MaxBackoff = maxPause
		o.RateLimiter = ratelimit.None
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(b.retryable)}, o.Retryables...)
	})
}

// retryable says more than the SDK knows: a server that never answered is not there, and an answer that is cut off can be asked
// for again.
func (b *Bucket) retryable(err error) aws.Ternary {
	var dial *net.OpError
	var cut *smithy.DeserializationError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial" && !b.reached.Load():
		return aws.FalseTernary
	case errors.As(err, &cut), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		var canceled *aws.RequestCanceledError
		return aws.BoolTernary(!errors.As(err, &canceled))
	}
	return aws.UnknownTernary
}

func keepConnections(t *http.Transport) {
	t.MaxIdleConns, t.MaxIdleConnsPerHost = connections, connections
}

// metadataState is what the environment says about the metadata service of EC2.
func metadataState() imds.ClientEnableState {
	if strings.EqualFold(os.Getenv("AWS_EC2_METADATA_DISABLED"), "true") {
		return imds.ClientDisabled
	}
	return imds.ClientDefaultEnableState
}
