package s3test

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // of entity tags
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"
)

// Region is where the server says it is.
const Region = "eu-test-1"

// Server is a running S3 server.
type Server struct {
	Endpoint  string // http://127.0.0.1:PORT
	AccessKey string
	SecretKey string
	Dir       string // the folder with the buckets
	Client    *s3.Client
}

// Start starts a server that ends with the test. Where it cannot be built the test is skipped with the reason, or fails when
// TAF_REQUIRE names versitygw.
func Start(t testing.TB) *Server {
	t.Helper()
	s, stop, err := Run(context.Background(), t.TempDir())
	var build *BuildError
	switch {
	case errors.As(err, &build) && !slices.Contains(strings.Split(os.Getenv("TAF_REQUIRE"), ","), "versitygw"):
		t.Skipf("no S3 server to test with: %v", err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return s
}

// BuildError says that there is no server.
type BuildError struct{ Err error }

func (e *BuildError) Error() string { return e.Err.Error() }
func (e *BuildError) Unwrap() error { return e.Err }

// Run starts a server with its data in a folder. Stop ends it.
func Run(ctx context.Context, dir string) (s *Server, stop func(), err error) {
	program, err := Build(ctx)
	if err != nil {
		return nil, nil, &BuildError{err}
	}
	for range 5 { // somebody may take the port between our look and the server's
		if s, stop, err = run(ctx, program, dir); err == nil {
			return s, stop, nil
		}
	}
	return nil, nil, err
}

func run(ctx context.Context, program, dir string) (*Server, func(), error) {
	port, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	s := &Server{Endpoint: "http://" + port, AccessKey: "AK" + random(9), SecretKey: random(20), Dir: filepath.Join(dir, "buckets")}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(program, "--port", port, "--region", Region, "--quiet", "--keep-alive",
		"--virtual-domain", VirtualDomain, "posix", s.Dir)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	log := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = log, log
	endWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	stop := func() { _ = cmd.Process.Kill(); <-exited }
	s.Client = s3.New(s3.Options{
		Region: Region, BaseEndpoint: aws.String(s.Endpoint), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	})
	if err := s.ready(ctx, exited); err != nil {
		stop()
		return nil, nil, fmt.Errorf("start versitygw: %w\n%s", err, log)
	}
	return s, stop, nil
}

// VirtualDomain is the domain below which buckets are hosts. Nothing resolves it: a proxy has to take requests for it.
const VirtualDomain = "s3.test"

func (s *Server) ready(ctx context.Context, exited <-chan struct{}) error {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		select {
		case <-exited:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		if resp, err := http.Get(s.Endpoint); err == nil {
			resp.Body.Close()
			return nil
		}
	}
	return errors.New("it does not answer")
}

// Env are environment variables for a program that is to use the server, and nothing else that this computer knows of AWS.
func (s *Server) Env() []string {
	return append(NoAWS(),
		"AWS_ACCESS_KEY_ID="+s.AccessKey, "AWS_SECRET_ACCESS_KEY="+s.SecretKey,
		"AWS_REGION="+Region, "AWS_ENDPOINT_URL_S3="+s.Endpoint,
	)
}

// NoAWS are environment variables that keep a program from finding anything of AWS on this computer.
func NoAWS() []string {
	env := []string{"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull}
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION",
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE",
	} {
		env = append(env, name+"=")
	}
	return env
}

// Setenv sets Env for this test.
func (s *Server) Setenv(t testing.TB) { Setenv(t, s.Env()) }

// Setenv sets environment variables for a test.
func Setenv(t testing.TB, env []string) {
	t.Helper()
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		t.Setenv(name, value)
	}
}

// Bucket makes a bucket with objects, whose contents are their own keys.
func (s *Server) Bucket(t testing.TB, bucket string, keys ...string) {
	t.Helper()
	ctx := context.Background()
	if _, err := s.Client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, key := range keys {
		group.Go(func() error { return s.put(ctx, bucket, key, []byte(key)) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// Put stores an object.
func (s *Server) Put(t testing.TB, bucket, key string, data []byte) {
	t.Helper()
	if err := s.put(context.Background(), bucket, key, data); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) put(ctx context.Context, bucket, key string, data []byte) error {
	_, err := s.Client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(data)})
	return err
}

// ETag is the entity tag that the server gives to an object with this content.
func ETag(data []byte) string {
	sum := md5.Sum(data) //nolint:gosec // that is what it is
	return hex.EncodeToString(sum[:])
}

// Delete removes an object.
func (s *Server) Delete(t testing.TB, bucket, key string) {
	t.Helper()
	if _, err := s.Client.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &key}); err != nil {
		t.Fatal(err)
	}
}

// Publish lets everybody list and read a bucket.
func (s *Server) Publish(t testing.TB, bucket string) {
	t.Helper()
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::%[1]s"},
		{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::%[1]s/*"}]}`, bucket)
	if _, err := s.Client.PutBucketPolicy(context.Background(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &policy}); err != nil {
		t.Fatal(err)
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return strings.ToUpper(hex.EncodeToString(b))
}

// lockedBuffer keeps what the server prints.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
