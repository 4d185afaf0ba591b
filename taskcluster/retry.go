package taskcluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Retry says how calls that failed for a reason that may pass are tried again: no answer, 429, and 5xx. The defaults are those of the
// official Go client.
type Retry struct {
	Initial time.Duration // the first pause, ±50 %; 0 is half a second
	Factor  float64       // by which pauses grow; 0 is 1.5
	Max     time.Duration // the longest pause; 0 is a minute
	Total   time.Duration // no try is begun after so long; 0 is 15 minutes
	Tries   int           // at most so many; 0 is no limit, 1 is no second try
	Answer  time.Duration // a try without an answer for so long has failed; 0 is 90 seconds, and 16 minutes through a proxy, which tries again itself
}

func (r Retry) withDefaults() Retry {
	if r.Initial == 0 {
		r.Initial = 500 * time.Millisecond
	}
	if r.Factor == 0 {
		r.Factor = 1.5
	}
	if r.Max == 0 {
		r.Max = time.Minute
	}
	if r.Total == 0 {
		r.Total = 15 * time.Minute
	}
	if r.Answer == 0 {
		r.Answer = 90 * time.Second
	}
	return r
}

// retry calls try until it succeeds, fails for good, or ctx ends. The error is the last one that was seen, also when ctx ended.
func retry[T any](ctx context.Context, r Retry, try func() (T, error)) (T, error) {
	if ctx.Err() != nil {
		var none T
		return none, ctx.Err() // not its cause, which is the failure of another call where several are made together
	}
	pauses := &backoff.ExponentialBackOff{InitialInterval: r.Initial, RandomizationFactor: 0.5, Multiplier: r.Factor, MaxInterval: r.Max}
	var last error
	result, err := backoff.Retry(ctx, func() (T, error) {
		result, err := try()
		if err != nil {
			last = err
			if ctx.Err() != nil || !temporary(err) {
				err = backoff.Permanent(err)
			} else if pause := retryAfter(err); pause > 0 {
				err = &backoff.RetryAfterError{Duration: min(pause, r.Max)}
			}
		}
		return result, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(r.Total), backoff.WithMaxTries(uint(r.Tries)))
	if err == nil {
		return result, nil
	}
	if ctx.Err() != nil && !errors.Is(last, ctx.Err()) {
		return result, fmt.Errorf("%w, after %w", ctx.Err(), last)
	}
	return result, last
}

// temporary says whether the same call may succeed later.
func temporary(err error) bool {
	var (
		api   *Error
		dns   *net.DNSError
		trust *tls.CertificateVerificationError
		plain tls.RecordHeaderError
		lost  *networkError
	)
	switch {
	case errors.As(err, &api):
		return api.StatusCode == http.StatusTooManyRequests || api.StatusCode >= 500
	case errors.As(err, &dns) && dns.IsNotFound, errors.As(err, &trust), errors.As(err, &plain):
		return false // an address that is wrong stays wrong
	}
	return errors.As(err, &lost)
}

func retryAfter(err error) time.Duration {
	var api *Error
	if errors.As(err, &api) {
		return api.retryAfter
	}
	return 0
}

// parseRetryAfter reads the header that may come with 429 and 503: seconds, or a date.
func parseRetryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return at.Sub(now)
	}
	return 0
}
