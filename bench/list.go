package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tafc/tafc/bench/internal/synthetic"
	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/internal/s3test"
)

// buckets are what is listed: keys in folders, as telemetry has them, and a tenth of them without folders: versitygw reads a
// folder to its end for each page, so that with more only that would be measured.
var buckets = []struct {
	name, words string
	part        int
}{
	{"folders", "in 8 folders", 1}, {"flat", "without folders", 10},
}

// benchList measures listing a bucket of a real S3 server, against the bare SDK with the key space cut in advance: in equal parts, which needs
// the keys, or at the folders.
func benchList(ctx context.Context, o options, report *strings.Builder) error {
	data := filepath.Join(o.dir, fmt.Sprintf("s3-%d", o.listFiles))
	keys := map[string][]string{}
	for _, b := range buckets {
		var err error
		if keys[b.name], err = fillBucket(ctx, filepath.Join(data, "buckets", b.name), o.listFiles/b.part, b.name == "flat"); err != nil {
			return err
		}
	}
	server, stop, err := s3test.Run(ctx, data)
	if err != nil {
		return err
	}
	defer stop()
	peer := filepath.Join(o.dir, "listshards")
	if err := build(ctx, peer, "github.com/tafc/tafc/bench/listshards"); err != nil {
		return err
	}
	env := server.Env()
	for _, b := range buckets {
		analysis, err := listAnalysis(o.dir, b.name)
		if err != nil {
			return err
		}
		subjects := []*subject{{name: "`tafc index query`", run: func(int) (sample, error) {
			return measure(ctx, analysis, env, o.tafc, "index", "query", "list.taf.hcl")
		}}}
		if b.name == "folders" {
			folders := append([]string{b.name, "prefix"}, foldersOf(keys[b.name])...)
			subjects = append(subjects, &subject{name: "bare SDK, a shard a folder", run: func(int) (sample, error) { return measure(ctx, o.dir, env, peer, folders...) }})
		}
		for _, n := range []int{1, 8, 32} {
			args := append([]string{b.name, "after"}, cuts(keys[b.name], n)...)
			subjects = append(subjects, &subject{name: fmt.Sprintf("bare SDK, equal shards: %d", n), run: func(int) (sample, error) { return measure(ctx, o.dir, env, peer, args...) }})
		}
		if err := alternate(o.rounds, subjects); err != nil {
			return err
		}
		want := strings.Join(keys[b.name], "\n") + "\n"
		for _, s := range subjects {
			if !bytes.Equal(s.samples[0].stdout, []byte(want)) {
				return fmt.Errorf("%s does not list the keys of the bucket in order", s.name)
			}
		}
		fmt.Fprintf(report, "\n## Listing %d S3 keys %s\n\n", len(keys[b.name]), b.words)
		table(report, subjects)
	}
	report.WriteString("The server is versitygw on the same cores, so its work counts as well. The shards of the bare SDK are cut where the keys are known to be; tafc finds that out.\n")
	return nil
}

// fillBucket makes a bucket of empty files, unless it is there, and returns its keys in order.
func fillBucket(ctx context.Context, folder string, files int, flat bool) ([]string, error) {
	_, err := os.Stat(folder)
	there := err == nil
	var keys []string
	err = synthetic.New(files, "").Scan(ctx, func(f index.File) error {
		key := string(f.Key)
		if flat {
			key = strings.ReplaceAll(key, "/", "_")
		}
		keys = append(keys, key)
		if there {
			return nil
		}
		path := filepath.Join(folder, filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return err
		}
		return setETag(path, string(f.ETag))
	})
	return keys, err
}

func foldersOf(keys []string) []string {
	var out []string
	for _, key := range keys {
		folder := key[:strings.LastIndexByte(key, '/')+1]
		if len(out) == 0 || out[len(out)-1] != folder {
			out = append(out, folder)
		}
	}
	return out
}

// cuts are the keys between n equal parts.
func cuts(keys []string, n int) []string {
	var out []string
	for i := 1; i < n; i++ {
		out = append(out, keys[len(keys)*i/n])
	}
	return out
}

// listAnalysis writes an analysis that selects everything in a bucket.
func listAnalysis(dir, bucket string) (string, error) {
	folder := filepath.Join(dir, "list-"+bucket)
	text := fmt.Sprintf("index {\n  source = \"s3://%s\"\n}\n\nfilter {}\n\nmap \"all\" {\n  command = \"cat\"\n}\n\noutput \"all\" {\n  value = map.all\n}\n", bucket)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	return folder, os.WriteFile(filepath.Join(folder, "list.taf.hcl"), []byte(text), 0o644)
}
