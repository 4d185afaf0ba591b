package taskcluster_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/taskcluster"
	"github.com/tafc/tafc/taskcluster/hawk/hawktest"
)

// transport answers requests without a network, so that tests can run in a bubble of synctest, whose clock does not wait.
type transport func(r *http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func response(status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

func newClient(t *testing.T, f transport, change ...func(*taskcluster.Config)) *taskcluster.Client {
	t.Helper()
	config := taskcluster.Config{RootURL: "https://tc.example.com", HTTP: &http.Client{Transport: f},
		Credentials: &taskcluster.Credentials{ClientID: "me", AccessToken: "token"}}
	for _, c := range change {
		c(&config)
	}
	client, err := taskcluster.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

const statusBody = `{"status": {"taskId": "X2kr8VYmRraEwtZIinw4cw", "state": "pending", "runs": []}}`

// Each try is signed anew, with the time that it is made at and another nonce, and has the same body.
func TestRetries(t *testing.T) {
	for name, fault := range map[string]func() (*http.Response, error){
		"reset": func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		"refused": func() (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		},
		"500": func() (*http.Response, error) {
			return response(500, `{"code": "InternalServerError", "message": "x"}`), nil
		},
		"502": func() (*http.Response, error) { return response(502, "<html>", "Content-Type", "text/html"), nil },
		"429": func() (*http.Response, error) { return response(429, ""), nil },
		"cut": func() (*http.Response, error) {
			r := response(200, statusBody)
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader(statusBody[:20]), failing{}))
			return r, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var headers []hawktest.Attributes
				var bodies []string
				client := newClient(t, func(r *http.Request) (*http.Response, error) {
					a, err := hawktest.ParseHeader(r.Header.Get("Authorization"))
					if err != nil {
						t.Error(err)
					}
					body, _ := io.ReadAll(r.Body)
					headers, bodies = append(headers, a), append(bodies, string(body))
					if len(headers) < 4 {
						return fault()
					}
					return response(200, statusBody), nil
				})
				status, err := client.Queue.CreateTask(t.Context(), "X2kr8VYmRraEwtZIinw4cw", &taskcluster.TaskDefinition{Payload: []byte(`{}`)})
				if err != nil || status.State != taskcluster.StatePending {
					t.Fatalf("%+v, %v", status, err)
				}
				took := time.Since(begin)
				// 0.5 + 0.75 + 1.125 seconds, each half as much or half as much more
				if len(headers) != 4 || took < 1187*time.Millisecond || took > 3563*time.Millisecond {
					t.Errorf("%d tries in %v", len(headers), took)
				}
				if headers[0].Nonce == headers[1].Nonce || headers[0].MAC == headers[1].MAC || headers[3].Time.Before(begin.Add(took).Truncate(time.Second)) {
					t.Errorf("signatures are not fresh: %+v", headers)
				}
				if bodies[0] != bodies[3] {
					t.Errorf("bodies %q", bodies)
				}
			})
		})
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestNoRetries(t *testing.T) {
	for name, fault := range map[string]func() (*http.Response, error){
		"400": func() (*http.Response, error) { return response(400, `{"code": "InputError", "message": "bad"}`), nil },
		"401": func() (*http.Response, error) {
			return response(401, `{"code": "AuthenticationFailed", "message": "Bad mac"}`), nil
		},
		"409": func() (*http.Response, error) {
			return response(409, `{"code": "RequestConflict", "message": "x"}`), nil
		},
		"413": func() (*http.Response, error) { return response(413, "<html>", "Content-Type", "text/html"), nil },
		"no such name": func() (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "tc.example.com", IsNotFound: true}}
		},
	} {
		tries := 0
		client := newClient(t, func(*http.Request) (*http.Response, error) { tries++; return fault() })
		if _, err := client.Queue.Status(t.Context(), "X2kr8VYmRraEwtZIinw4cw"); err == nil || tries != 1 {
			t.Errorf("%s: %d tries, %v", name, tries, err)
		}
	}
}

func TestRetriesEnd(t *testing.T) {
	down := transport(func(*http.Request) (*http.Response, error) {
		return response(503, `{"code": "InternalServerError", "message": "out of order"}`), nil
	})
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		_, err := newClient(t, down).Queue.Status(t.Context(), "id")
		var api *taskcluster.Error
		if took := time.Since(begin); !errors.As(err, &api) || api.StatusCode != 503 || api.Tries < 15 || took < 13*time.Minute || took > 15*time.Minute {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, down, func(c *taskcluster.Config) { c.Retry.Tries = 3 })
		_, err := client.Queue.Status(t.Context(), "id")
		if err == nil || !strings.Contains(err.Error(), "(3 tries)") {
			t.Error(err)
		}
	})
}

func TestRetriesEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		_, err := newClient(t, func(*http.Request) (*http.Response, error) { return response(500, ""), nil }).Queue.Status(ctx, "id")
		if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "500") || took != 10*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		begin := time.Now()
		client := newClient(t, func(*http.Request) (*http.Response, error) {
			at = append(at, time.Since(begin))
			switch len(at) {
			case 1:
				return response(429, "", "Retry-After", "7"), nil
			case 2:
				return response(503, "", "Retry-After", time.Now().Add(11*time.Second).UTC().Format(http.TimeFormat)), nil
			case 3:
				return response(503, "", "Retry-After", "86400"), nil
			}
			return response(200, statusBody), nil
		})
		if _, err := client.Queue.Status(t.Context(), "id"); err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{0, 7 * time.Second, 18 * time.Second, 78 * time.Second} // the last one is cut to a minute
		if diff := cmp.Diff(want, at); diff != "" {
			t.Error(diff)
		}
	})
}

// A service that never answers is given up after a while, and asked again.
func TestNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		client := newClient(t, func(r *http.Request) (*http.Response, error) {
			if tries++; tries == 1 {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return response(200, statusBody), nil
		})
		begin := time.Now()
		_, err := client.Queue.Status(t.Context(), "id")
		if took := time.Since(begin); err != nil || took < 90*time.Second || took > 92*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// The proxy of a task tries again itself, which takes time.
func TestNoAnswerOfTheProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, func(*http.Request) (*http.Response, error) {
			time.Sleep(15 * time.Minute)
			return response(200, statusBody), nil
		}, func(c *taskcluster.Config) { c.ProxyURL = "http://taskcluster" })
		if _, err := client.Queue.Status(t.Context(), "id"); err != nil {
			t.Error(err)
		}
	})
}
