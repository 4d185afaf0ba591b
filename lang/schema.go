package lang

import "slices"

// Schema is the table of everything that a file may hold: the decoder, the checks and the documentation read it.
func Schema() *BlockSchema { return &file }

// BlockSchema describes a type of block.
type BlockSchema struct {
	Type     string
	Label    LabelRule
	Doc      string
	Many     bool // may stand more than once in its parent
	Free     bool // any argument names, such as locals
	Args     []ArgSchema
	Blocks   []BlockSchema
	NotBuilt bool // the language knows it, this version refuses it

	// Kinds are what a block takes by its label, in the place of Args and Blocks; Name is the label of a kind.
	Kinds []BlockSchema
	Name  string

	labels *valueSet // what the label can be; nil: any name
}

// LabelRule says whether a block has a label.
type LabelRule int

// The rules for labels.
const (
	NoLabel       LabelRule = iota
	RequiredLabel           // the name
	OptionalLabel           // the name; without it "default"
	TextLabel               // any text: nothing refers to it
)

// DefaultName is the name of an index, a filter or an image without a label.
const DefaultName = "default"

// ArgSchema describes an argument.
type ArgSchema struct {
	Name     string
	Type     ArgType
	Required bool
	Default  string // as the language would write it; empty: none
	Doc      string
	NotBuilt bool // the language knows it, this version refuses it

	words   *valueSet // what a text can be, or each of a list of texts
	schemes *valueSet // what a text can begin with, before a colon
	refs    []string  // the kinds of blocks that a reference can name
}

// ArgType is what an argument takes, in words.
type ArgType string

// The types of arguments.
const (
	TString     ArgType = "text"
	TBool       ArgType = "true or false"
	TCount      ArgType = "a whole number"
	TStrings    ArgType = "a list of texts"
	TOneOrMore  ArgType = "a text or a list of texts"
	TTexts      ArgType = "a map of texts"
	TSize       ArgType = "a size, such as \"64MiB\", or a number of bytes"
	TDuration   ArgType = "a duration, such as \"5m\", or a number of seconds"
	TLimit      ArgType = "a count, or a percentage such as \"0.1%\""
	TShare      ArgType = "a number from 0 to 1, or a percentage such as \"99%\""
	TReference  ArgType = "a reference"
	TType       ArgType = "a type"
	TElements   ArgType = "a map, or a list of different texts"
	TName       ArgType = "a name without quotes"
	TNames      ArgType = "a list of names without quotes"
	TConditions ArgType = "a map of fields and conditions, such as { \"info.OS\" = \"Linux\" }"
	TSettings   ArgType = "a map of settings, such as { field = \"info.memsize\", by = \"info.OS\" }"
	TAny        ArgType = "any value"
)

// forEach is the argument that makes a block for each element.
func forEach(what string) ArgSchema {
	return ArgSchema{Name: "for_each", Type: TElements, Doc: "There is one " + what + " for each element, NAME[\"KEY\"]; in it each.key and each.value are the element."}
}

var batchSchema = BlockSchema{Type: "batch", Doc: "How many files one map task reads.", Args: []ArgSchema{
	{Name: "max_files", Type: TCount, Default: "100", Doc: "The most files of a task."},
	{Name: "max_size", Type: TSize, Default: `"16MiB"`, Doc: "The most bytes of a task, as stored. A larger file is a task by itself."},
	{Name: "group_by", Type: TStrings, Default: "the date dimension", Doc: "Dimensions whose values never share a task."},
}}

var retrySchema = BlockSchema{Type: "retry", Doc: "What happens after a failed attempt.", Args: []ArgSchema{
	{Name: "attempts", Type: TCount, Default: "3", Doc: "The most attempts at a task, the first included."},
	{Name: "on", Type: TStrings, words: &retryCauses, Default: `["infrastructure", "download", "memory", "write"]`, Doc: "The causes that are tried again: infrastructure, code, download, corrupt, drifted, memory, timeout, write, or exit:N."},
	{Name: "delay", Type: TDuration, Default: `"5s"`, Doc: "The pause before the second attempt; it doubles with each."},
	{Name: "max_delay", Type: TDuration, Default: `"2m"`, Doc: "The longest pause."},
}, Blocks: []BlockSchema{
	{Type: "download", Doc: "The same for one file inside a task.", Args: []ArgSchema{
		{Name: "attempts", Type: TCount, Default: "3", Doc: "The most attempts at a file, the first included."},
		{Name: "timeout", Type: TDuration, Default: `"5m"`, Doc: "The longest time of one attempt."},
	}},
}}

var tolerateSchema = BlockSchema{Type: "tolerate", Doc: "How much may be lost before a task or the analysis fails.", Args: []ArgSchema{
	{Name: "bad_records", Type: TLimit, Default: "0", Doc: "Records of a task that do not parse or on which the code fails; they go into quarantine."},
	{Name: "bad_files", Type: TLimit, Default: "0", Doc: "Files of a task that cannot be fetched or read to their end."},
	{Name: "failed_tasks", Type: TLimit, Default: "0", Doc: "Tasks of the stage that fail for good."},
	{Name: "min_coverage", Type: TShare, Doc: "The share of the planned files that a result must stand for."},
}}

var resourcesSchema = BlockSchema{Type: "resources", Doc: "What a task may use.", Args: []ArgSchema{
	{Name: "memory", Type: TSize, Default: `"256MiB"`, Doc: "Memory for sorting and buffers."},
	{Name: "cpus", Type: TCount, Default: "1", Doc: "Processors of a task: how many workers' places it takes."},
	{Name: "disk", Type: TSize, Doc: "Disk space that must be free before a task starts."},
}}

// operations are ready-made programs, in the place of code.
var operations = []ArgSchema{
	{Name: "count_by", Type: TOneOrMore, Doc: "Ready-made: how many records there are of each value of a field, or of each combination of several."},
	{Name: "sum", Type: TSettings, Doc: "Ready-made: exact sums of numbers: field or fields, by."},
	{Name: "histogram", Type: TSettings, Doc: "Ready-made: how many numbers are in each bucket: field, buckets, by."},
	{Name: "distinct", Type: TSettings, Doc: "Ready-made: about how many different values there are: field, by."},
	{Name: "top", Type: TSettings, Doc: "Ready-made: the most frequent values: field, n, by."},
	{Name: "quantiles", Type: TSettings, Doc: "Ready-made: quantiles of numbers, about: field, at, by."},
	{Name: "select", Type: TOneOrMore, Doc: "Ready-made: fields as they are: the first is the key, the others the value."},
}

// stageArgs are the arguments that map and reduce share.
var stageArgs = []ArgSchema{
	{Name: "image", Type: TReference, refs: []string{"image"}, Default: "the only image", Doc: "The image that the code runs in."},
	{Name: "code", Type: TOneOrMore, Doc: "The file with the code; in a list, the others are shipped with the first."},
	{Name: "command", Type: TOneOrMore, Doc: "A streaming program: a shell command, or its arguments as a list."},
	{Name: "entry", Type: TString, Doc: "The function to call when it has another name than the contract says."},
	{Name: "contract", Type: TString, words: &contracts, Default: "found from the code", Doc: "How the code is called: taf, telemetry-server, telemetry-analysis, streaming."},
	{Name: "env", Type: TTexts, Doc: "Environment variables of the code."},
	{Name: "max_run_time", Type: TDuration, Default: `"1h"`, Doc: "The longest time of one attempt."},
	{Name: "secrets", Type: TTexts, Doc: "Environment variables of the code whose values are secrets: their names, and those of the secrets."},
	forEach("stage"),
}

func stage(input ArgSchema, more ...ArgSchema) []ArgSchema {
	return slices.Concat([]ArgSchema{input}, stageArgs, more)
}

var file = BlockSchema{Doc: "An analysis file.", Blocks: []BlockSchema{
	{Type: "analysis", Label: OptionalLabel, Doc: "The name of the analysis, and whose it is.", Args: []ArgSchema{
		{Name: "description", Type: TString, Doc: "What the analysis finds out."},
		{Name: "owner", Type: TString, Doc: "The e-mail address of who answers for it."},
		{Name: "source", Type: TString, Doc: "Where the file is kept."},
		{Name: "requires_tafc", Type: TString, Doc: "The versions of tafc that can read the file."},
	}},
	{Type: "variable", Label: RequiredLabel, Many: true, Doc: "An input of the file, set with -var.", Args: []ArgSchema{
		{Name: "type", Type: TType, Default: "that of the default, else string", Doc: "The type of the value."},
		{Name: "default", Type: TAny, Doc: "The value when none is given; without it, one must be given."},
		{Name: "description", Type: TString, Doc: "What the variable means."},
		{Name: "sensitive", Type: TBool, Default: "false", Doc: "The value is never shown."},
	}, Blocks: []BlockSchema{{Type: "validation", Many: true, Doc: "A condition on the value.", Args: []ArgSchema{
		{Name: "condition", Type: TBool, Required: true, Doc: "An expression that is true for the values that are allowed."},
		{Name: "error_message", Type: TString, Required: true, Doc: "What is said when it is false, as a sentence."},
	}}}},
	{Type: "locals", Many: true, Free: true, Doc: "Names for values."},
	{Type: "index", Label: OptionalLabel, Many: true, Doc: "Where the list of files comes from.", Args: []ArgSchema{
		{Name: "source", Type: TString, schemes: &sources, Required: true, Doc: "The list: dir:PATH, sqlite:PATH, postgres://HOST/DATABASE, s3://BUCKET/FOLDER, service:https://HOST/files or inventory:PATH."},
		{Name: "root", Type: TString, Default: "what the source says", Doc: "What the keys are relative to: a folder, or an s3:// or https:// URL."},
		{Name: "layout", Type: TString, Default: "what the source says", Doc: "What the parts of a key mean: telemetry, telemetry-heka, or a template such as {country}/{day:date}/{rest}; or columns:country,day:date when columns of the table have the values."},
		{Name: "table", Type: TString, Default: "published_files for postgres", Doc: "The table of a database that tafc did not make."},
		{Name: "columns", Type: TTexts, Default: "by their names", Doc: "Which columns of the table hold key, size, etag, and dimensions by their names."},
		{Name: "endpoint", Type: TString, Default: "AWS_ENDPOINT_URL_S3, else AWS", Doc: "The S3 server, such as https://s3.example.org."},
		{Name: "region", Type: TString, Default: "AWS_REGION, else found out", Doc: "The region of the bucket."},
		{Name: "profile", Type: TString, Default: "AWS_PROFILE", Doc: "The profile of the AWS configuration files that the credentials come from."},
		{Name: "anonymous", Type: TBool, Default: "false", Doc: "The bucket is public: no credentials are looked for."},
		{Name: "path_style", Type: TBool, Default: "true with an endpoint", Doc: "The name of the bucket stands in the path of a URL, not in its host."},
	}},
	{Type: "filter", Label: OptionalLabel, Many: true, Doc: "A selection of files.", Args: []ArgSchema{
		forEach("filter"),
		{Name: "index", Type: TReference, refs: []string{"index"}, Default: "the only index", Doc: "The index to select from."},
		{Name: "document", Type: TString, Doc: "A Filter.json that says the conditions instead."},
		{Name: "allow_empty", Type: TBool, Default: "false", Doc: "It is no error when no file matches."},
		{Name: "exact_keys", Type: TBool, Default: "false", Doc: "Values of keys are compared as they are; only those of the conditions are rewritten."},
		{Name: "limit", Type: TCount, Doc: "The most files: a sample of those that match."},
	}, Blocks: []BlockSchema{
		{Type: "where", Free: true, Doc: "Conditions on dimensions that must all hold."},
		{Type: "exclude", Free: true, Doc: "Conditions on dimensions; a file for which all hold is left out."},
	}},
	{Type: "image", Label: OptionalLabel, Many: true, Doc: "The container image of stages.", Args: []ArgSchema{
		{Name: "name", Type: TString, Required: true, Doc: "The reference of the image, best with a digest."},
	}, Blocks: []BlockSchema{{Type: "build", Doc: "How the image is made.", Args: []ArgSchema{
		{Name: "context", Type: TString, Required: true, Doc: "The folder that is sent to the builder."},
		{Name: "dockerfile", Type: TString, Default: `"Dockerfile"`, Doc: "The file with the steps, in the context."},
		{Name: "args", Type: TTexts, Doc: "Build arguments."},
		{Name: "target", Type: TString, Doc: "The build stage to stop at."},
	}}}},
	batchSchema,
	retrySchema,
	tolerateSchema,
	{Type: "map", Label: RequiredLabel, Many: true, Doc: "A stage that runs code on every record.", Args: slices.Concat(stage(
		ArgSchema{Name: "input", Type: TReference, refs: []string{"filter", "map", "reduce"}, Default: "the only filter", Doc: "The filter or stage to read."},
		ArgSchema{Name: "format", Type: TString, words: &recordFormats, Default: "what the layout says, else lines", Doc: "How files hold records: telemetry, lines, jsonl, csv, tsv, whole."},
		ArgSchema{Name: "fields", Type: TStrings, Doc: "The code gets only these fields, such as info.OS."},
		ArgSchema{Name: "max_record", Type: TSize, Default: `"64MiB"`, Doc: "The longest record; a longer one makes its file a bad one."},
		ArgSchema{Name: "max_record_time", Type: TDuration, Doc: "The longest time that the code may take for one record."},
		ArgSchema{Name: "where", Type: TConditions, Doc: "Conditions on fields of records that must all hold; the other records are filtered out."},
	), operations), Blocks: []BlockSchema{
		resourcesSchema, batchSchema, retrySchema, tolerateSchema,
	}},
	{Type: "reduce", Label: RequiredLabel, Many: true, Doc: "A stage that runs code on all values of a key.", Args: stage(
		ArgSchema{Name: "input", Type: TReference, refs: []string{"map", "reduce"}, Required: true, Doc: "The stage to read."},
		ArgSchema{Name: "merge", Type: TBool, Default: "true without code, over an operation", Doc: "Ready-made: put the results of the map's operation together."},
		ArgSchema{Name: "partitions", Type: TCount, Default: "1", Doc: "How many tasks share the keys."},
		ArgSchema{Name: "fan_in", Type: TCount, Default: "64", Doc: "The most results that one task reads."},
	), Blocks: []BlockSchema{resourcesSchema, retrySchema, tolerateSchema}},
	{Type: "output", Label: RequiredLabel, Many: true, Doc: "A result that somebody wants.", Args: []ArgSchema{
		forEach("output"),
		{Name: "value", Type: TReference, refs: []string{"map", "reduce"}, Required: true, Doc: "The stage whose result it is."},
		{Name: "format", Type: TString, words: &outputFormats, Default: `"text"`, Doc: "How it is written: text, csv, jsonl, json, parquet."},
		{Name: "to", Type: TString, Doc: "What it is written to: a file, or an object of a bucket, s3://BUCKET/KEY."},
		{Name: "sort", Type: TString, words: &orders, Default: `"key"`, Doc: "The order of the result: key, value, or with a minus in front the other way."},
		{Name: "top", Type: TCount, Doc: "Only the first so many pairs."},
	}},
	notifySchema,
	{Type: "engine", Label: RequiredLabel, labels: &engines, Many: true, Doc: "Where tasks run.", Kinds: []BlockSchema{
		{Type: "engine", Name: EngineLocal, Doc: "Tasks run on this computer.", Args: []ArgSchema{
			{Name: "workers", Type: TCount, Default: "the number of cores", Doc: "How many tasks run at once."},
			{Name: "container", Type: TString, words: &containers, Default: `"auto"`, Doc: "When tasks with an image run in a container: auto, docker, podman or none."},
		}},
		taskclusterSchema,
	}},
	{Type: "test", Label: TextLabel, Many: true, Doc: "A test of a stage, run by tafc test.", Args: []ArgSchema{
		{Name: "stage", Type: TReference, refs: []string{"map", "reduce"}, Required: true, Doc: "The stage to run."},
		{Name: "records", Type: TAny, Doc: "Records: texts, or objects, which are written as JSON."},
		{Name: "input", Type: TAny, Doc: "Instead of records: sample files, or the pairs that a stage reads."},
		{Name: "file", Type: TString, Default: "test, or the path of the sample file", Doc: "The key of the file that the code sees."},
		{Name: "dims", Type: TTexts, Default: "what the layout finds in file", Doc: "The dimensions of the file that the code sees."},
		{Name: "expect", Type: TAny, Doc: "The pairs, or the lines, that must come out, in any order."},
		{Name: "expect_error", Type: TString, Doc: "The code must fail with an error that this regular expression finds something in."},
		{Name: "expect_bad_records", Type: TCount, Doc: "So many records must be bad and are set aside."},
		{Name: "float_tolerance", Type: TShare, Default: "1e-9", Doc: "By how much of their size numbers with a fraction may differ."},
		{Name: "laws", Type: TAny, Default: "true", Doc: "Which laws of combine and reduce are checked with the pairs of the test: true, false, or a list."},
	}},
	{Type: "function", Label: RequiredLabel, Many: true, Doc: "A function of the file's own.", Args: []ArgSchema{
		{Name: "params", Type: TNames, Required: true, Doc: "The names of the parameters."},
		{Name: "variadic_param", Type: TName, Doc: "The name of a list of all further arguments."},
		{Name: "result", Type: TAny, Required: true, Doc: "What a call is worth, an expression in which the parameters stand for the arguments."},
	}},
}}

// valueSet is a closed set of words that an argument takes. Later are words that only a later version takes.
type valueSet struct {
	words []string
	later []string
}

var (
	contracts     = valueSet{words: []string{"taf", "telemetry-server", "telemetry-analysis", "streaming"}}
	recordFormats = valueSet{words: []string{"telemetry", "lines", "jsonl", "csv", "tsv", "whole"}}
	outputFormats = valueSet{words: []string{"text", "csv", "jsonl", "json", "parquet"}}
	orders        = valueSet{words: []string{"key", "-key", "value", "-value"}}
	engines       = valueSet{words: []string{EngineLocal, EngineTaskcluster}}
	containers    = valueSet{words: []string{"auto", "docker", "podman", "none"}}
	payloads      = valueSet{words: []string{"docker-worker", "generic-worker"}}
	priorities    = valueSet{words: []string{"highest", "very-high", "high", "medium", "low", "very-low", "lowest"}}
	runEnds       = valueSet{words: []string{"done", "partial", "failed"}}
	sources       = valueSet{words: []string{"dir", "sqlite", "postgres", "postgresql", "s3", "service", "inventory"}}
	roots         = valueSet{words: []string{"file", "s3", "https", "http"}}
	laws          = valueSet{words: []string{LawDeterministic, LawCommutative, LawAssociative}}
	retryCauses   = valueSet{words: []string{"infrastructure", "code", "download", "corrupt", "drifted", "memory", "timeout", "write"}}
)

// Labels are the names that a block of this type can have, none when any name will do.
func (s *BlockSchema) Labels() []string { return s.labels.take() }

// Words are the texts that the argument takes, none when that is not a closed set.
func (a *ArgSchema) Words() []string { return a.words.take() }

// Schemes are what the text of the argument can begin with, before a colon.
func (a *ArgSchema) Schemes() []string { return a.schemes.take() }

// References are the kinds of blocks that the argument can refer to.
func (a *ArgSchema) References() []string { return slices.Clone(a.refs) }

func (v *valueSet) take() []string {
	if v == nil {
		return nil
	}
	return slices.Clone(v.words)
}

func (s *BlockSchema) arg(name string) *ArgSchema {
	for i := range s.Args {
		if s.Args[i].Name == name {
			return &s.Args[i]
		}
	}
	return nil
}

func (s *BlockSchema) block(name string) *BlockSchema {
	for i := range s.Blocks {
		if s.Blocks[i].Type == name {
			return &s.Blocks[i]
		}
	}
	return nil
}

// kind is what a block with a label takes.
func (s *BlockSchema) kind(label string) *BlockSchema {
	for i := range s.Kinds {
		if s.Kinds[i].Name == label {
			return &s.Kinds[i]
		}
	}
	return s
}

func (s *BlockSchema) argNames() []string {
	var names []string
	for i := range s.Args {
		if !s.Args[i].NotBuilt {
			names = append(names, s.Args[i].Name)
		}
	}
	return names
}

func (s *BlockSchema) blockNames() []string {
	var names []string
	for i := range s.Blocks {
		if !s.Blocks[i].NotBuilt {
			names = append(names, s.Blocks[i].Type)
		}
	}
	return names
}
