package unittest

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/pairs"
	"github.com/tafc/tafc/runtime/pin"
	"github.com/tafc/tafc/unittest/jsonvalue"
)

// ownKey is the key of the file that a test's records stand in, as the code sees it.
const ownKey = "test"

// files are the files that a map reads: sample files, or one of the test's records, which is written into dir.
func (r *runner) files(t *lang.Test, m *compile.Template, dir string) ([]job.File, error) {
	var files []job.File
	for _, name := range t.Files {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(r.a.Dir, filepath.FromSlash(name))
		}
		key := t.File
		if key == "" {
			key = name
		}
		f, err := file(path, key)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	if t.Records != nil {
		contents, err := contents(t.Records, m.Spec.Format)
		if err != nil {
			return nil, err
		}
		for i, text := range contents {
			path := filepath.Join(dir, fmt.Sprintf("records-%d", i+1))
			if err := os.WriteFile(path, text, 0o644); err != nil {
				return nil, err
			}
			key := t.File
			if key == "" {
				key = ownKey
			}
			f, err := file(path, key)
			if err != nil {
				return nil, err
			}
			files = append(files, f)
		}
	}
	return files, nil
}

// file pins a file of this computer.
func file(path, key string) (job.File, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return job.File{}, err
	}
	info, err := os.Stat(abs)
	if err != nil {
		return job.File{}, fmt.Errorf("the sample file cannot be read: %w", err)
	}
	address := url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}
	return job.File{Key: key, URL: address.String(), Size: info.Size(), ETag: pin.ETag(info)}, nil
}

// dims sets the dimensions of the files: what the layout finds in a key, and over it what the test says. Without a layout
// the names of the test's are the dimensions, in their alphabetical order.
func dims(t *lang.Test, m *compile.Template, files []job.File) (names []string) {
	names = slices.Clone(m.Spec.Dimensions)
	if m.Layout == nil {
		for name := range t.Dims {
			names = append(names, name)
		}
		slices.Sort(names)
	}
	for i := range files {
		values := make([]string, len(names))
		found := make([][]byte, len(names))
		if m.Layout != nil && m.Layout.Match([]byte(files[i].Key), found) {
			for j, v := range found {
				values[j] = string(v)
			}
		}
		for j, name := range names {
			if v, ok := t.Dims[name]; ok {
				values[j] = v
			}
		}
		files[i].Dims = values
	}
	return names
}

// contents are the texts of the files that hold records in a format: one file, or of whole one for each record.
func contents(records []lang.Record, format string) ([][]byte, error) {
	switch format {
	case "whole":
		var out [][]byte
		for _, r := range records {
			out = append(out, []byte(r.Text))
		}
		return out, nil
	case "csv", "tsv":
		text, err := table(records, map[string]rune{"csv": ',', "tsv": '\t'}[format])
		return [][]byte{text}, err
	}
	var b bytes.Buffer
	for i, r := range records {
		text := r.Text
		switch {
		case format == "telemetry" && (r.JSON || r.ID != ""):
			id := r.ID
			if id == "" {
				id = fmt.Sprintf("00000000-0000-4000-8000-%012d", i+1)
			}
			text = id + "\t" + text
		case r.ID != "":
			return nil, fmt.Errorf("record %d has an id, but records of the format %s have none: write only the record", i+1, format)
		}
		if strings.ContainsAny(text, "\n") {
			return nil, fmt.Errorf("record %d holds a newline, but a record of the format %s is one line", i+1, format)
		}
		b.WriteString(text + "\n")
	}
	return [][]byte{b.Bytes()}, nil
}

// table writes objects as rows below a line with the names of their members. Texts are lines as they are, the first with the
// names.
func table(records []lang.Record, comma rune) ([]byte, error) {
	var b bytes.Buffer
	var names []string
	var rows []map[string]any
	for i, r := range records {
		if r.JSON != records[0].JSON || r.ID != "" {
			return nil, errors.New("records of a table are either all objects, or all texts, the first of which is the header")
		}
		if !r.JSON {
			b.WriteString(r.Text + "\n")
			continue
		}
		v, err := jsonvalue.Parse(r.Text)
		row, ok := v.(map[string]any)
		if err != nil || !ok {
			return nil, fmt.Errorf("record %d is no object", i+1)
		}
		rows = append(rows, row)
		for name := range row {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(rows) == 0 {
		return b.Bytes(), nil
	}
	slices.Sort(names)
	w := csv.NewWriter(&b)
	w.Comma = comma
	_ = w.Write(names) // Error tells
	for _, row := range rows {
		cells := make([]string, len(names))
		for i, name := range names {
			cells[i] = cell(row[name])
		}
		_ = w.Write(cells)
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func cell(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	}
	return jsonvalue.Text(v)
}

// upstream writes pairs as the result of the stage that the tested one reads.
func (r *runner) upstream(ctx context.Context, t *lang.Test, dir string) ([]job.Upstream, error) {
	before := r.templates[t.Stage].Stage.Input.Stage
	up := job.Upstream{Task: before.String(), Form: job.FormPairs}
	if u := r.templates[before]; u != nil && u.Spec.Code != nil && u.Spec.Code.Contract == "telemetry-analysis" {
		up.Form = job.FormLines
	}
	c := pairs.NewCollector(pairs.CollectorOptions{Temp: dir, Partitions: 1})
	for _, p := range t.Pairs {
		key, err := pairs.AppendKey(nil, []byte(p.Key))
		if err != nil {
			return nil, err
		}
		value := p.Value
		if up.Form == job.FormLines {
			value = quote(plain(p.Key) + " " + plain(p.Value))
		}
		if err := c.Add(ctx, key, []byte(value)); err != nil {
			return nil, err
		}
	}
	parts, err := c.Write(ctx, dir)
	up.Parts = absolute(parts, dir)
	return []job.Upstream{up}, err
}

// absolute are parts as a later task finds them.
func absolute(parts []job.Part, dir string) []job.Part {
	out := slices.Clone(parts)
	for i := range out {
		out[i].Path = filepath.Join(dir, out[i].Path)
	}
	return out
}

// plain is a JSON value as text: strings without their quotes.
func plain(value string) string {
	var s string
	if json.Unmarshal([]byte(value), &s) == nil && strings.HasPrefix(value, `"`) {
		return s
	}
	return value
}

func quote(text string) string { return jsonvalue.Text(text) }
