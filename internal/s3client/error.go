package s3client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"

	"github.com/tafc/tafc/internal/lazy"
)

// Error says in our words what went wrong with a bucket, and what helps.
type Error struct {
	Bucket string
	Code   string // of S3, such as NoSuchBucket; empty when there was no answer
	Status int    // of HTTP; 0 when there was no answer
	Text   string
	Err    error
}

func (e *Error) Error() string { return e.Text }
func (e *Error) Unwrap() error { return e.Err }

// explain makes an *Error, or ctx's error when that is why.
func (b *Bucket) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := &Error{Bucket: b.name, Err: err}
	var api smithy.APIError
	var profile config.SharedConfigProfileNotExistError
	switch {
	case errors.As(err, &profile):
		e.Text = fmt.Sprintf("there is no profile %q in the AWS configuration files; see: aws configure list-profiles", profile.Profile)
	case errors.As(err, &api):
		e.Code = api.ErrorCode()
		var resp *awshttp.ResponseError
		if errors.As(err, &resp) {
			e.Status = resp.HTTPStatusCode()
		}
		e.Text = b.answer(api, e.Status)
	default:
		e.Text = b.noAnswer(err)
	}
	return e
}

// answer says what an error of the server means.
func (b *Bucket) answer(api smithy.APIError, status int) string {
	switch code := api.ErrorCode(); code {
	case "NoSuchBucket":
		return fmt.Sprintf("there is no bucket %q; check its name, and the endpoint and profile that are used", b.name)
	case "AccessDenied", "Forbidden", "AllAccessDisabled":
		return b.denied()
	case "InvalidAccessKeyId", "XAdminUserNotFound": // the latter of versitygw
		return fmt.Sprintf("the server of bucket %q does not know the access key; check which credentials are used: aws configure list", b.name)
	case "SignatureDoesNotMatch":
		return fmt.Sprintf("the server of bucket %q refuses the signature: the secret key does not belong to the access key; check which credentials are used: aws configure list", b.name)
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired": // see expired
		return "the AWS credentials have expired; get new ones, for example with: aws sso login"
	case "RequestTimeTooSkewed":
		return "the clock of this computer is wrong, so the server refuses signed requests; set it"
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		return fmt.Sprintf("bucket %q is in another region than the one that is used; write region = \"…\" in the index block, or set AWS_REGION (%s)", b.name, api.ErrorMessage())
	case "SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout":
		if b.attempts() == 1 {
			return fmt.Sprintf("the server of bucket %q is overloaded: it answered %s; try again later", b.name, code)
		}
		return fmt.Sprintf("the server of bucket %q is overloaded: it answered %s to each of %d attempts; try again later", b.name, code, b.attempts())
	default:
		return fmt.Sprintf("bucket %q: the server answered %s (status %d): %s", b.name, code, status, api.ErrorMessage())
	}
}

func (b *Bucket) denied() string {
	if b.none != nil {
		return fmt.Sprintf("bucket %q is not public, and there are no AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with: aws sso login", b.name)
	}
	if b.config.Anonymous {
		return fmt.Sprintf("bucket %q is not public; remove anonymous = true, so that requests are signed with your credentials", b.name)
	}
	return fmt.Sprintf("access to bucket %q is denied; the credentials that are used need the permission s3:ListBucket on arn:aws:s3:::%s (and s3:GetObject on what is below it when tasks fetch files)", b.name, b.name)
}

// expired tells whether an error says that the credentials are no longer good.
func expired(code string) bool {
	return code == "ExpiredToken" || code == "ExpiredTokenException" || code == "TokenRefreshRequired"
}

// noAnswer says why there was no answer.
func (b *Bucket) noAnswer(err error) string {
	text := err.Error()
	var dns *net.DNSError
	var dial *net.OpError
	var timeout interface{ Timeout() bool }
	switch {
	case strings.Contains(text, "failed to refresh cached credentials"), strings.Contains(text, "get identity"), strings.Contains(text, "get credentials"):
		return "the AWS credentials cannot be used: " + root(err).Error() + "; check them with: aws sts get-caller-identity"
	case errors.As(err, &dns):
		return fmt.Sprintf("the server of bucket %q is not found: there is no host %s; check the endpoint and the region", b.name, dns.Name)
	case errors.As(err, &dial) && dial.Op == "dial":
		return fmt.Sprintf("the server of bucket %q cannot be reached at %s: %v; check the endpoint and the network", b.name, host(err), root(dial.Err))
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("the server of bucket %q does not answer in time, at %s; check the endpoint and the network", b.name, host(err))
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Sprintf("the server of bucket %q ended the connection, at %s", b.name, host(err))
	}
	return fmt.Sprintf("bucket %q: %v", b.name, root(err))
}

// host is the server that a request went to.
func host(err error) string {
	var request *url.Error
	if errors.As(err, &request) {
		if u, bad := url.Parse(request.URL); bad == nil {
			return u.Scheme + "://" + u.Host
		}
	}
	return "its address"
}

// root is the innermost error: what is around it names operations and requests of the SDK.
func root(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

var expecting = lazy.Regexp(`expecting ['"]([a-z0-9-]+)['"]`)

// rightRegion is the region that an error of the server names, or empty.
func rightRegion(err error) string {
	var api smithy.APIError
	var resp *awshttp.ResponseError
	if err == nil || !errors.As(err, &api) || !errors.As(err, &resp) || resp.Response == nil {
		return ""
	}
	switch api.ErrorCode() {
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "TemporaryRedirect", "MovedPermanently", "BadRequest", "IllegalLocationConstraintException":
		if region := resp.Response.Header.Get("X-Amz-Bucket-Region"); region != "" {
			return region
		}
		if m := expecting().FindStringSubmatch(api.ErrorMessage()); m != nil {
			return m[1]
		}
	}
	return ""
}
