package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tafc/tafc/taskcluster/hawk"
)

// putVerb is how this program calls itself to be the bare loop: it puts the tasks of a file, signed, and does nothing else.
const putVerb = "__put"

// putParallel is how many calls are made at a time, as many as the engine makes.
const putParallel = 50

func putTasks(file string) error {
	levels, err := readLevels(file)
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = putParallel
	client := &http.Client{Transport: transport}
	for _, level := range levels { // what others depend on comes first
		var group errgroup.Group
		group.SetLimit(putParallel)
		for _, task := range level {
			group.Go(func() error { return put(client, task) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	time.Sleep(time.Minute) // until it is killed, as the engine is
	return nil
}

// readLevels reads tasks, those without dependencies first, then those that depend on these alone, and so on.
func readLevels(file string) ([][]sent, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var levels [][]sent
	level := map[string]int{}
	dec := json.NewDecoder(f)
	for {
		var task sent
		if err := dec.Decode(&task); err == io.EOF {
			return levels, nil
		} else if err != nil {
			return nil, err
		}
		var definition map[string]json.RawMessage
		var dependencies []string
		if err := json.Unmarshal(task.Body, &definition); err != nil {
			return nil, err
		}
		if text := definition["dependencies"]; text != nil {
			if err := json.Unmarshal(text, &dependencies); err != nil {
				return nil, err
			}
		}
		at := 0
		for _, d := range dependencies {
			if d != task.ID {
				at = max(at, level[d]+1)
			}
		}
		level[task.ID] = at
		definition["created"] = json.RawMessage(strconv.Quote(time.Now().UTC().Format(time.RFC3339)))
		if task.Body, err = json.Marshal(definition); err != nil {
			return nil, err
		}
		for at >= len(levels) {
			levels = append(levels, nil)
		}
		levels[at] = append(levels[at], task)
	}
}

func put(client *http.Client, task sent) error {
	u, err := url.Parse(os.Getenv("TASKCLUSTER_ROOT_URL") + "/api/queue/v1/task/" + task.ID)
	if err != nil {
		return err
	}
	header, err := hawk.Header(hawk.Request{Method: http.MethodPut, URL: u, Time: time.Now(), Nonce: task.ID[:9]},
		os.Getenv("TASKCLUSTER_CLIENT_ID"), os.Getenv("TASKCLUSTER_ACCESS_TOKEN"))
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPut, u.String(), bytes.NewReader(task.Body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", header)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, answer)
	}
	return err
}
