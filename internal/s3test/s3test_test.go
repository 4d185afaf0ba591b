package s3test_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/tafc/tafc/internal/s3test"
)

func TestServer(t *testing.T) {
	server := s3test.Start(t)
	server.Bucket(t, "books", "a/b", "c")
	server.Publish(t, "books")
	resp, err := http.Get(server.Endpoint + "/books/a/b")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "a/b" {
		t.Errorf("%s: %q, %v", resp.Status, body, err)
	}
}

func TestProxy(t *testing.T) {
	server := s3test.Start(t)
	server.Bucket(t, "books", "a", "b")
	proxy := s3test.NewProxy(t, server.Endpoint)
	client := s3.New(server.Client.Options(), func(o *s3.Options) {
		o.BaseEndpoint, o.RetryMaxAttempts = aws.String(proxy.Endpoint), 1
	})
	list := func() (int, error) {
		out, err := client.ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: aws.String("books")})
		if err != nil {
			return 0, err
		}
		return len(out.Contents), nil
	}
	if n, err := list(); n != 2 || err != nil {
		t.Errorf("without faults: %d, %v", n, err)
	}
	for _, f := range []s3test.Fault{{Reset: true}, {Status: 503, Code: "SlowDown"}, {Truncate: 200}} {
		proxy.Faults(func(s3test.Request) s3test.Fault { return f })
		if n, err := list(); err == nil {
			t.Errorf("%+v: %d objects and no error", f, n)
		}
	}
	if n := proxy.Lists(); n < 4 { // net/http itself repeats a request whose kept connection was reset
		t.Errorf("%d requests", n)
	}
}
