package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// shard is a part of the key space: the keys with a prefix, behind one key, up to another.
type shard struct{ prefix, after, to string }

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: listshards BUCKET after CUT... | prefix PREFIX...")
		os.Exit(64)
	}
	if err := run(os.Args[1], shards(os.Args[2], os.Args[3:])); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// shards are the parts between the cuts, or one for each prefix.
func shards(kind string, at []string) []shard {
	var out []shard
	if kind == "prefix" {
		for _, prefix := range at {
			out = append(out, shard{prefix: prefix})
		}
		return out
	}
	after := ""
	for _, cut := range at {
		out = append(out, shard{after: after, to: cut})
		after = cut
	}
	return append(out, shard{after: after})
}

func run(bucket string, parts []shard) error {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	keys, errs := make([][]string, len(parts)), make([]error, len(parts))
	var group sync.WaitGroup
	for i, part := range parts {
		group.Go(func() { keys[i], errs[i] = list(ctx, client, bucket, part) })
	}
	group.Wait()
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	for i := range parts {
		if errs[i] != nil {
			return errs[i]
		}
		for _, key := range keys[i] {
			if _, err := out.WriteString(key + "\n"); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

func list(ctx context.Context, client *s3.Client, bucket string, part shard) ([]string, error) {
	in := &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &part.prefix}
	if part.after != "" {
		in.StartAfter = &part.after
	}
	var keys []string
	for pages := s3.NewListObjectsV2Paginator(client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range page.Contents {
			if part.to != "" && strings.Compare(*o.Key, part.to) > 0 {
				return keys, nil
			}
			keys = append(keys, aws.ToString(o.Key))
		}
	}
	return keys, nil
}
