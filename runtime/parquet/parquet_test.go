package parquet_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pq "github.com/parquet-go/parquet-go"

	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
	"github.com/tafc/tafc/runtime/parquet"
)

func opener(t *testing.T, lines ...string) func() (pairs.SourceCloser, error) {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	c := pairs.NewCollector(pairs.CollectorOptions{Temp: dir})
	if err := c.AddLines(ctx, []byte(strings.Join(lines, "\n")+"\n")); err != nil {
		t.Fatal(err)
	}
	parts, err := c.Write(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	parts[0].Path = dir + "/" + parts[0].Path
	return func() (pairs.SourceCloser, error) {
		return pairs.Merge(ctx, []pairs.Input{pairs.Part(parts[0])}, dir, 0)
	}
}

func TestWrite(t *testing.T) {
	tests := []struct {
		name   string
		form   job.Form
		lines  []string
		schema string
		rows   string
	}{
		{"texts and counts", job.FormPairs, []string{"\"a\"\t1", "\"b\"\t-9007199254740993"},
			"required binary key (STRING); required int64 value (INT(64,true));", "a 1; b -9007199254740993;"},
		{"whole and other numbers", job.FormPairs, []string{"1\t1", "2\t2.5"},
			"required int64 key (INT(64,true)); required double value;", "1 1; 2 2.5;"},
		{"nulls and booleans", job.FormPairs, []string{"\"a\"\tnull", "\"b\"\ttrue", "\"c\""},
			"required binary key (STRING); optional boolean value;", "a <null>; b true; c <null>;"},
		{"several kinds and lists", job.FormPairs, []string{"[\"a\",1]\t1", "\"b\"\t\"x\""},
			"required binary key (JSON); required binary value (JSON);", "\"b\" \"x\"; [\"a\",1] 1;"},
		{"lines", job.FormLines, []string{"1\t\"WINNT 7 x\"", "2\t\"Linux\""},
			"required binary key (STRING); optional binary value (STRING);", "WINNT 7 x; Linux <null>;"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			open := opener(t, tt.lines...)
			var file, again bytes.Buffer
			if err := parquet.Write(&file, tt.form, open); err != nil {
				t.Fatal(err)
			}
			if err := parquet.Write(&again, tt.form, open); err != nil || !bytes.Equal(file.Bytes(), again.Bytes()) {
				t.Errorf("written again it is another file; %v", err)
			}
			schema, rows := read(t, file.Bytes())
			if diff := cmp.Diff([]string{tt.schema, tt.rows}, []string{schema, rows}); diff != "" {
				t.Errorf("file (-want +got):\n%s", diff)
			}
		})
	}
}

// read is the columns and the rows of a file.
func read(t *testing.T, data []byte) (schema, rows string) {
	t.Helper()
	f, err := pq.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(f.Schema().String(), "{")
	schema = strings.Join(strings.Fields(strings.Trim(body, "}\n")), " ")
	r := pq.NewReader(f)
	defer r.Close()
	buf := make([]pq.Row, 100)
	n, _ := r.ReadRows(buf)
	for _, row := range buf[:n] {
		rows += fmt.Sprintf("%v %v; ", row[0], row[1])
	}
	return schema, strings.TrimSpace(rows)
}
