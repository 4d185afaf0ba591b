package main

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tafc/tafc/internal/pgtest"
)

// servers ends the servers that tests started.
type servers struct{ testscript.TestingM }

func (s servers) Run() int { return pgtest.Run(s.TestingM) }

const sourceProgram = `
index "requests" {
  source = %q
  root   = "data"
  layout = "{site}/{day:date}.log"
}
filter "some" {
  where {
    site = ["shop", "b-log"]
    day  = atleast("20140302")
  }
}
map "lines" {
  command = "cat"
}
output "lines" {
  value = map.lines
}
`

var requestKeys = []string{"shop/20140301.log", "shop/20140302.log", "b_log/20140303.log", "b-log/20140304.log", "wiki/20140305.log", "junk"}

// plannedTasks are the addresses and keys of the tasks of a plan.
func plannedTasks(t *testing.T, dir string) map[string]string {
	t.Helper()
	out, err := tafc(dir, "plan", "-json", "-state", t.TempDir(), "a.taf.hcl").Output()
	if err != nil {
		t.Fatalf("plan: %v\n%s", err, out)
	}
	var doc struct {
		Tasks []struct{ Address, Key string }
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	tasks := map[string]string{}
	for _, task := range doc.Tasks {
		tasks[task.Address] = task.Key
	}
	return tasks
}

// Over the service of tafc index serve, a plan is the same as over the index itself.
func TestPlanOverTheService(t *testing.T) {
	dir := t.TempDir()
	for _, key := range requestKeys {
		write(t, filepath.Join(dir, "data", key), key)
	}
	if out, err := tafc(dir, "index", "build", "dir:data", "-o", "index.db", "-layout", "{site}/{day:date}.log").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server := tafc(dir, "index", "serve", "sqlite:index.db", "-addr", "127.0.0.1:0")
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Process.Kill() }()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url := strings.TrimSpace(strings.TrimPrefix(line, "sqlite:index.db at "))
	if err != nil || !regexp.MustCompile(`^http://127\.0\.0\.1:\d+/files$`).MatchString(url) {
		t.Fatalf("%q, %v", line, err)
	}

	write(t, filepath.Join(dir, "a.taf.hcl"), fmt.Sprintf(sourceProgram, "sqlite:index.db"))
	want := plannedTasks(t, dir)
	write(t, filepath.Join(dir, "a.taf.hcl"), fmt.Sprintf(sourceProgram, "service:"+url))
	got := plannedTasks(t, dir)
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 3 {
		t.Errorf("tasks %s\n%v", diff, got)
	}
	response, err := http.Get(strings.TrimSuffix(url, "/files") + "/nothing")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Error(response.Status)
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("%v\n%s", err, &log)
	}
	if !regexp.MustCompile(`127\.0\.0\.1 POST "/files" 200 \d+ bytes`).MatchString(log.String()) {
		t.Errorf("log:\n%s", &log)
	}
}

// A plan over a database keeps no password, and is out of date once a matching row is another.
func TestPlanOverADatabase(t *testing.T) {
	statements := []string{`CREATE TABLE files (key text, size int, etag text, site text, day text)`, `GRANT SELECT ON files TO taf`}
	dir := t.TempDir()
	for i, key := range requestKeys {
		write(t, filepath.Join(dir, "data", key), key)
		site, day, _ := strings.Cut(strings.TrimSuffix(key, ".log"), "/")
		statements = append(statements, fmt.Sprintf("INSERT INTO files VALUES ('%s', %d, 'e%d', '%s', '%s')", key, len(key), i, site, day))
	}
	url := pgtest.Database(t, statements...)
	name := url[len("postgres:///"):strings.Index(url, "?")]
	tcp := strings.Replace(pgtest.Start(t).TCP(name), "taf@", "taf:s3cret%2Fpass%20word@", 1)
	program := strings.Replace(fmt.Sprintf(sourceProgram, tcp), "layout", "table  = \"files\"\n  layout", 1)
	program = strings.Replace(program, `"{site}/{day:date}.log"`, `"columns:site,day:date"`, 1)
	write(t, filepath.Join(dir, "a.taf.hcl"), program)

	out, err := tafc(dir, "plan", "-out", "plan.taf", "a.taf.hcl").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "6 files, 3 match") || !strings.Contains(string(out), "site 6 → 4 · day → 3") || !strings.Contains(string(out), "Password in the file") {
		t.Errorf("plan: %v\n%s", err, out)
	}
	texts := []string{string(out)}
	z, err := zip.OpenReader(filepath.Join(dir, "plan.taf"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	for _, args := range [][]string{{"plan", "-json", "a.taf.hcl"}, {"index", "show", "-table", "files", tcp}, {"index", "query", "a.taf.hcl"}, {"validate", "-format", "json", "a.taf.hcl"}} {
		out, err := tafc(dir, args...).CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
		texts = append(texts, string(out))
	}
	for _, text := range texts {
		if strings.Contains(text, "s3cret") {
			t.Errorf("the password is in\n%s", text)
		}
	}

	t.Setenv("PGPASSWORD", pgtest.Password)
	pgtest.Exec(t, url, `UPDATE files SET etag = 'new' WHERE site = 'wiki'`)
	pgtest.Exec(t, url, `UPDATE files SET etag = 'new' WHERE key = 'shop/20140302.log'`)
	out, err = tafc(dir, "apply", "plan.taf").CombinedOutput()
	if code(err) != exitFailed || !strings.Contains(string(out), "out of date") || strings.Contains(string(out), "s3cret") {
		t.Errorf("apply: %v\n%s", err, out)
	}
	pgtest.Exec(t, url, `UPDATE files SET etag = 'e1' WHERE key = 'shop/20140302.log'`)
	if out, err = tafc(dir, "apply", "plan.taf").CombinedOutput(); strings.Contains(string(out), "out of date") {
		t.Errorf("apply of a plan that still holds: %v\n%s", err, out)
	}
}
