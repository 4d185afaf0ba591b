package pgtest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Password is that of the user taf, who must give it over TCP.
const Password = "s3cret/pass word"

// Server is a running server.
type Server struct {
	Dir  string // of the Unix socket
	Port int
	stop func()
	dbs  int
}

var (
	once   sync.Once
	shared *Server
	failed error
)

// Run runs the tests of a package and stops the server that they started, if any: func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }.
func Run(m interface{ Run() int }) int {
	code := m.Run()
	Stop()
	return code
}

// Stop ends the server when one was started.
func Stop() {
	if shared != nil {
		shared.stop()
	}
}

// Database makes an empty database with these statements and returns its URL: over the Unix socket, as a user who needs no password.
func Database(t testing.TB, statements ...string) string {
	t.Helper()
	s := Start(t)
	s.dbs++
	name := fmt.Sprintf("taf%d_%d", os.Getpid(), s.dbs)
	Exec(t, s.URL("postgres"), "CREATE DATABASE "+name)
	Exec(t, s.URL(name), statements...)
	return s.URL(name)
}

// Exec runs statements.
func Exec(t testing.TB, url string, statements ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// Start starts the server of this process unless it runs.
func Start(t testing.TB) *Server {
	t.Helper()
	bin, err := programs()
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("TAF_REQUIRE"), ","), "postgres") {
			t.Fatalf("%v, and TAF_REQUIRE demands it", err)
		}
		t.Skip(err)
	}
	once.Do(func() { shared, failed = start(bin) })
	if failed != nil {
		t.Fatal(failed)
	}
	return shared
}

// URL is that of a database, over the Unix socket.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres:///%s?host=%s&port=%d&user=postgres", database, url.QueryEscape(s.Dir), s.Port)
}

// TCP is the URL of a database over TCP, as the user taf, without the password.
func (s *Server) TCP(database string) string {
	return fmt.Sprintf("postgres://taf@127.0.0.1:%d/%s", s.Port, database)
}

// programs is the folder of the server's programs.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // where Debian has them
	if len(found) == 0 {
		return "", fmt.Errorf("PostgreSQL (initdb) is not installed")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

func start(bin string) (*Server, error) {
	dir, err := os.MkdirTemp("", "taf-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir, stop: func() { os.RemoveAll(dir) }}
	attr, err := unprivileged(dir)
	if err != nil {
		return s, err
	}
	data := filepath.Join(dir, "data")
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(Password+"\n"), 0o644); err != nil {
		return s, err
	}
	cmd := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-N",
		"--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile="+secret)
	cmd.SysProcAttr, cmd.Dir = attr, dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return s, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if s.Port, err = freePort(); err != nil {
		return s, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return s, err
	}
	defer log.Close()
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-h", "127.0.0.1", "-p", strconv.Itoa(s.Port), "-F",
		"-c", "full_page_writes=off", "-c", "shared_buffers=32MB", "-c", "max_connections=40")
	server.SysProcAttr, server.Dir, server.Stdout, server.Stderr = attr, dir, log, log
	if err := server.Start(); err != nil {
		return s, err
	}
	s.stop = func() {
		_ = server.Process.Signal(os.Interrupt) // fast shutdown
		_ = server.Wait()
		os.RemoveAll(dir)
	}
	if err := s.ready(); err != nil {
		text, _ := os.ReadFile(log.Name())
		return s, fmt.Errorf("%w\n%s", err, text)
	}
	return s, nil
}

// ready waits for the server and makes the user taf.
func (s *Server) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			defer conn.Close(ctx)
			_, err = conn.Exec(ctx, "CREATE ROLE taf LOGIN PASSWORD '"+Password+"'")
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
