package taskcluster

import (
	"context"
	"net/http"
)

type (
	auth    struct{ *caller }
	workers struct{ *caller }
	secrets struct{ *caller }
	notify  struct{ *caller }
	object  struct{ *caller }
)

var (
	_ Auth          = (*auth)(nil)
	_ WorkerManager = (*workers)(nil)
	_ Secrets       = (*secrets)(nil)
	_ Notify        = (*notify)(nil)
	_ Object        = (*object)(nil)
)

type scopeSet struct {
	Scopes []string `json:"scopes"`
}

func (a *auth) Ping(ctx context.Context) error { return ping(ctx, a.caller, "auth") }

func (a *auth) CurrentScopes(ctx context.Context) ([]string, error) {
	var result scopeSet
	_, err := a.do(ctx, call{service: "auth", name: "currentScopes", method: http.MethodGet, path: "/scopes/current", result: &result})
	return result.Scopes, err
}

func (a *auth) ExpandScopes(ctx context.Context, scopes []string) ([]string, error) {
	var result scopeSet
	body := scopeSet{append([]string{}, scopes...)}
	_, err := a.do(ctx, call{service: "auth", name: "expandScopes", method: http.MethodPost, path: "/scopes/expand", body: body, result: &result})
	return result.Scopes, err
}

func (a *auth) AwsS3Credentials(ctx context.Context, level, bucket, prefix string) (*AwsS3Credentials, error) {
	result := new(AwsS3Credentials)
	path := pathOf("/aws/s3/", level, "/", bucket, "/", prefix)
	k := call{service: "auth", name: "awsS3Credentials", subject: bucket + "/" + prefix, method: http.MethodGet, path: path, result: result}
	if _, err := a.do(ctx, k); err != nil {
		return nil, err
	}
	return result, nil
}

func (a *auth) TestAuthenticate(ctx context.Context, clientScopes, requiredScopes []string) (*TestAuthenticateResponse, error) {
	result := new(TestAuthenticateResponse)
	body := map[string][]string{"clientScopes": append([]string{}, clientScopes...), "requiredScopes": append([]string{}, requiredScopes...)}
	k := call{service: "auth", name: "testAuthenticate", method: http.MethodPost, path: "/test-authenticate", body: body, result: result}
	if _, err := a.do(ctx, k); err != nil {
		return nil, err
	}
	return result, nil
}

func (w *workers) Ping(ctx context.Context) error { return ping(ctx, w.caller, "worker-manager") }

func (w *workers) WorkerPool(ctx context.Context, workerPoolID string) (*WorkerPool, error) {
	result := new(WorkerPool)
	k := call{service: "worker-manager", name: "workerPool", subject: workerPoolID, method: http.MethodGet, path: pathOf("/worker-pool/", workerPoolID), result: result}
	if _, err := w.do(ctx, k); err != nil {
		return nil, err
	}
	return result, nil
}

func (s *secrets) Ping(ctx context.Context) error { return ping(ctx, s.caller, "secrets") }

func (s *secrets) Get(ctx context.Context, name string) (*Secret, error) {
	result := new(Secret)
	k := call{service: "secrets", name: "get", subject: name, method: http.MethodGet, path: pathOf("/secret/", name), result: result}
	if _, err := s.do(ctx, k); err != nil {
		return nil, err
	}
	return result, nil
}

func (n *notify) Ping(ctx context.Context) error { return ping(ctx, n.caller, "notify") }

func (n *notify) send(ctx context.Context, name string, body any) error {
	_, err := n.do(ctx, call{service: "notify", name: name, method: http.MethodPost, path: "/" + name, body: body})
	return err
}

func (n *notify) Email(ctx context.Context, request *EmailRequest) error {
	return n.send(ctx, "email", request)
}

func (n *notify) Slack(ctx context.Context, request *SlackRequest) error {
	return n.send(ctx, "slack", request)
}

func (n *notify) Matrix(ctx context.Context, request *MatrixRequest) error {
	return n.send(ctx, "matrix", request)
}

func (n *notify) Pulse(ctx context.Context, request *PulseRequest) error {
	return n.send(ctx, "pulse", request)
}

func (o *object) Ping(ctx context.Context) error { return ping(ctx, o.caller, "object") }

func (o *object) StartDownload(ctx context.Context, name string) (*ObjectDownload, error) {
	result := new(ObjectDownload)
	body := map[string]any{"acceptDownloadMethods": map[string]bool{"getUrl": true, "simple": true}}
	k := call{service: "object", name: "startDownload", subject: name, method: http.MethodPut, path: pathOf("/start-download/", name), body: body, result: result}
	if _, err := o.do(ctx, k); err != nil {
		return nil, err
	}
	return result, nil
}

func (o *object) Object(ctx context.Context, name string) (*ObjectMetadata, error) {
	result := new(ObjectMetadata)
	k := call{service: "object", name: "object", subject: name, method: http.MethodGet, path: pathOf("/metadata/", name), result: result}
	if _, err := o.do(ctx, k); err != nil {
		return nil, err
	}
	return result, nil
}
