package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/engine"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/runtime/frame"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/mapper"
	"github.com/tafc/tafc/runtime/remote"
)

// headFormats are the words of -format.
var headFormats = []string{"telemetry", "lines", "jsonl", "csv", "tsv", "whole"}

// headOptions are the flags of tafc head.
type headOptions struct {
	records, offset int64
	format, stage   string
	json, full      bool
	s3              s3Flags
}

func (a *app) headVerb() *cobra.Command {
	var in inputs
	var o headOptions
	c := &cobra.Command{
		Use:   "head FILE-OR-KEY [FILE]",
		Short: "Show the first records of a data file as map gets them",
		Long: "FILE-OR-KEY is a data file here, an s3:// or https:// URL, or the key of a file that the analysis selects. Of a key, and of a file when the analysis or -stage is named, the records are shown as " +
			"the map gets them: its format, where and fields. Otherwise the format is -format, or what the file looks like. Records go to standard output; how the file is held is said on standard error.",
		Example: "  tafc head data/20140308/a.json.gz\n  tafc head -n 3 -format csv table.txt\n  tafc head -stage map.by_os 20140308/a.json.gz os-count.taf.hcl",
		Args:    positional(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if o.records < 1 || o.offset < 0 {
				return usageError("-n takes a number from 1, -offset one from 0")
			}
			if o.format != "" && !slices.Contains(headFormats, o.format) {
				return usageError("there is no format %q.%s The formats are %s", o.format, diag.DidYouMean(o.format, headFormats), strings.Join(headFormats, ", "))
			}
			h, err := a.headInput(c.Context(), args, &in, o)
			if err != nil {
				return err
			}
			if o.format != "" {
				h.spec.Format = o.format
			}
			return a.head(c.Context(), h, o)
		},
	}
	in.varFlags(c.Flags())
	c.Flags().Int64VarP(&o.records, "n", "n", 10, "at most N records")
	c.Flags().Int64Var(&o.offset, "offset", 0, "begin behind record N of the file")
	c.Flags().StringVar(&o.format, "format", "", "telemetry, lines, jsonl, csv, tsv or whole (default: that of the map, else what the file looks like)")
	c.Flags().StringVar(&o.stage, "stage", "", "the map whose format, where and fields count, when there are several")
	o.s3.add(c.Flags())
	c.Flags().BoolVar(&o.full, "full", false, "do not clip long records on a terminal")
	c.Flags().BoolVar(&o.json, "json", false, "print a JSON document")
	return c
}

// headInput is a file with how it is to be read.
type headInput struct {
	file    job.File
	spec    job.Spec
	stage   string // address; empty without an analysis
	guessed bool   // the format is
}

// headInput finds what the arguments mean. A URL or a path that is there is a data file, everything else a key.
func (a *app) headInput(ctx context.Context, args []string, in *inputs, o headOptions) (*headInput, error) {
	data, err := dataFile(args[0])
	if err != nil {
		return nil, err
	}
	config, err := o.s3.of(args[0])
	if err != nil {
		return nil, err
	}
	if data != nil && len(args) == 1 && o.stage == "" {
		x := &job.S3{Endpoint: config.Endpoint, Region: config.Region, Profile: config.Profile, Anonymous: config.Anonymous, PathStyle: config.PathStyle}
		h := &headInput{file: *data, spec: job.Spec{Format: o.format, S3: x}}
		if h.guessed = o.format == ""; h.guessed {
			h.spec.Format = guessFormat(ctx, h)
		}
		return h, nil
	}
	file, err := findFile(args, 1)
	if err != nil && data == nil {
		return nil, fmt.Errorf("there is no file %s here, and no analysis that could have it as a key: %w", args[0], err)
	}
	if err != nil {
		return nil, err
	}
	tasks, err := a.mapTasks(ctx, file, in, o.stage)
	if err != nil {
		return nil, err
	}
	if data != nil {
		return withStage(*data, tasks)
	}
	return findKey(args[0], tasks)
}

// dataFile is a file of this computer or of a store as it is now: nothing is pinned. nil: it is neither, so it may be a key.
func dataFile(name string) (*job.File, error) {
	if remote.Knows(name) {
		return &job.File{Key: name, URL: name, Size: -1}, nil
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, usageError("%s is a folder: name one of its files", name)
	}
	full, err := filepath.Abs(name)
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(full)}
	return &job.File{Key: filepath.ToSlash(name), URL: u.String(), Size: -1}, err
}

// guessBytes is how much of a file a guess looks at.
const guessBytes = 64 << 10

// guessFormat looks at the beginning of a file. One that cannot be read is reported when its records are read.
func guessFormat(ctx context.Context, h *headInput) string {
	lines := h.spec
	lines.Format = "lines"
	in, err := mapper.OpenInput(ctx, h.file, &lines)
	if err != nil {
		return frame.Guess(h.file.Key, nil, false)
	}
	defer in.Close()
	var head []byte
	for err == nil && len(head) < guessBytes {
		var item frame.Item
		if item, err = in.Next(); err == nil && item.Block != nil {
			head = append(head, item.Block.Data...)
		}
	}
	return frame.Guess(h.file.Key, head[:min(len(head), guessBytes)], err == io.EOF && len(head) < guessBytes)
}

// mapTasks are the tasks of the analysis that read files, of the stage that is named or of all.
func (a *app) mapTasks(ctx context.Context, file string, in *inputs, stage string) ([]*compile.Task, error) {
	s, err := a.load(file, in)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if s.diags.HasErrors() {
		return nil, a.report(s.diags, s.sources)
	}
	g := s.compile(ctx)
	if g == nil {
		return nil, a.report(s.diags, s.sources)
	}
	var tasks []*compile.Task
	var names []string
	for _, t := range g.Tasks {
		if t.Role == job.RoleMap && t.Files != nil {
			tasks = append(tasks, t)
			if name := bare(t.Stage.Addr.String()); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(tasks) == 0 {
		return nil, fmt.Errorf("no map of %s has a file: see tafc plan %s", file, file)
	}
	if stage == "" {
		return tasks, nil
	}
	if !strings.HasPrefix(stage, "map.") {
		stage = "map." + stage
	}
	chosen := slices.DeleteFunc(tasks, func(t *compile.Task) bool { return bare(t.Stage.Addr.String()) != bare(stage) })
	if len(chosen) == 0 {
		return nil, usageError("-stage: no map over files is %s.%s There is %s", bare(stage), diag.DidYouMean(bare(stage), names), strings.Join(names, ", "))
	}
	return chosen, nil
}

// withStage reads a file here as the only stage of the tasks would.
func withStage(file job.File, tasks []*compile.Task) (*headInput, error) {
	if err := oneStage(tasks); err != nil {
		return nil, err
	}
	return &headInput{file: file, spec: tasks[0].Stage.Spec, stage: tasks[0].Stage.Addr.String()}, nil
}

// findKey finds the task that reads a key.
func findKey(key string, tasks []*compile.Task) (*headInput, error) {
	var found []*compile.Task
	var h *headInput
	for _, t := range tasks {
		list := t.Files.List()
		if len(list) == 0 && t.Files.Len() > 0 {
			return nil, fmt.Errorf("the files of %s cannot be read from the index", t.Addr)
		}
		i, ok := slices.BinarySearchFunc(list, key, func(f job.File, key string) int { return strings.Compare(f.Key, key) })
		if !ok {
			continue
		}
		found = append(found, t)
		spec := engine.Spec(t)
		h = &headInput{file: spec.Files[i], spec: spec, stage: t.Stage.Addr.String()}
	}
	if h == nil {
		example := tasks[0].Files.List()[0].Key
		return nil, fmt.Errorf("there is no file %s here, and no map reads a key of that name: a filter may leave it out (see tafc index query). A key that is read is %s", key, example)
	}
	return h, oneStage(found)
}

// oneStage makes sure that the tasks are of one stage.
func oneStage(tasks []*compile.Task) error {
	var stages []addr.Stage
	var names []string
	for _, t := range tasks {
		if !slices.Contains(stages, t.Stage.Addr) {
			stages, names = append(stages, t.Stage.Addr), append(names, bare(t.Stage.Addr.String()))
		}
	}
	if len(stages) > 1 {
		return usageError("several maps read it, each in its way: choose one with -stage: %s", strings.Join(names, ", "))
	}
	return nil
}

// headDocument is what -json prints.
type headDocument struct {
	FormatVersion string       `json:"format_version"`
	File          string       `json:"file"`
	Stage         string       `json:"stage,omitempty"`
	Compression   string       `json:"compression"`
	Misnamed      bool         `json:"misnamed"`
	Format        string       `json:"format"`
	Guessed       bool         `json:"guessed"`
	Dims          []string     `json:"dims"`
	Records       []headRecord `json:"records"`
	Filtered      int64        `json:"filtered"`
	More          bool         `json:"more"`
	Error         string       `json:"error"`
}

// headRecord is a record. A bad one has the text of the file, any other that which map gets.
type headRecord struct {
	Record int64   `json:"record"`
	Offset int64   `json:"offset"`
	Text   *string `json:"text,omitempty"`
	Base64 []byte  `json:"base64,omitempty"`
	Bad    string  `json:"bad,omitempty"`
}

// head prints records of a file.
func (a *app) head(ctx context.Context, h *headInput, o headOptions) error {
	in, err := mapper.OpenInput(ctx, h.file, &h.spec)
	if err != nil {
		return err
	}
	defer in.Close()
	doc := &headDocument{
		FormatVersion: "1", File: h.file.Key, Stage: h.stage, Compression: string(in.Compression()), Misnamed: in.Misnamed(),
		Format: h.spec.Format, Guessed: h.guessed, Dims: append([]string{}, h.file.Dims...), Records: []headRecord{},
	}
	p := &headPrinter{app: a, o: o, doc: doc}
	if !o.json {
		p.says(h)
	}
	err = p.records(in)
	doc.Filtered = in.Filtered()
	if err != nil {
		doc.Error = err.Error()
	}
	if o.json {
		e := json.NewEncoder(a.streams.Out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if written := e.Encode(doc); written != nil {
			return written
		}
	} else {
		p.ends()
	}
	return err
}
