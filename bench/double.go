package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/tafc/tafc/taskcluster/tctest"
)

// doubleVerb is how this program calls itself to be a double of Taskcluster. It says its environment, then answers each line that it
// reads with a line: how far things are, or, when the line names a file, that the tasks are in it.
const doubleVerb = "__double"

// progress is what the double has seen.
type progress struct {
	Created int           // tasks
	Started bool          // a task was scheduled
	Took    time.Duration // from the beginning of the first createTask to the end of the last one
}

// sent is a task as it was created.
type sent struct {
	ID   string
	Body json.RawMessage
}

func double(in io.Reader, out io.Writer) error {
	server, err := tctest.Start(tctest.Options{})
	if err != nil {
		return err
	}
	defer server.Close()
	var (
		mu    sync.Mutex
		seen  progress
		begin time.Time
	)
	server.BeforeCall(func(c tctest.Call) *tctest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if c.Method == "createTask" && begin.IsZero() {
			begin = time.Now()
		}
		return nil
	})
	server.AfterCall(func(c tctest.Call) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case c.Status != 200:
		case c.Method == "createTask":
			seen.Created++
			seen.Took = time.Since(begin)
		case c.Method == "scheduleTask":
			seen.Started = true
		}
	})
	enc := json.NewEncoder(out)
	if err := enc.Encode(server.Env(server.Admin())); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if file := lines.Text(); file != "" {
			if err := saveTasks(server, file); err != nil {
				return err
			}
		}
		mu.Lock()
		now := seen
		mu.Unlock()
		if err := enc.Encode(now); err != nil {
			return err
		}
	}
	return lines.Err()
}

func saveTasks(server *tctest.Server, file string) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	for _, c := range server.Calls("createTask") {
		if err := enc.Encode(sent{ID: c.Params["taskId"], Body: c.Body}); err != nil {
			return err
		}
	}
	return os.WriteFile(file, text.Bytes(), 0o644)
}

// doubleProcess is a double in a process of its own.
type doubleProcess struct {
	env []string
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

func startDouble(ctx context.Context) (*doubleProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &doubleProcess{cmd: exec.CommandContext(ctx, self, doubleVerb)}
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.out = json.NewDecoder(out)
	if err := p.out.Decode(&p.env); err != nil {
		p.stop()
		return nil, fmt.Errorf("start the double: %w", err)
	}
	return p, nil
}

// seen asks how far things are.
func (p *doubleProcess) seen() (progress, error) { return p.ask("") }

// save writes the tasks to a file.
func (p *doubleProcess) save(file string) error {
	_, err := p.ask(file)
	return err
}

func (p *doubleProcess) ask(line string) (progress, error) {
	var seen progress
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		return seen, err
	}
	err := p.out.Decode(&seen)
	return seen, err
}

func (p *doubleProcess) stop() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}
