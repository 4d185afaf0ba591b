package sarif

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/tafc/tafc/docs"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/lazy"
)

const (
	schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	home   = "https://github.com/tafc/tafc"
	// root is the name that SARIF gives to the top of the repository, wherever it lies on a computer.
	root = "%SRCROOT%"
	// fingerprint is the name and version of how results are recognised from run to run.
	fingerprint = "tafcDiagnostic/v1"
)

// Write writes the report as one run of tafc, the same bytes for the same report. Relative turns the name of a file into its path in
// the repository, with slashes; what stays absolute is outside of it.
func Write(w io.Writer, r *diag.Report, version string, relative func(string) string) error {
	c := converter{report: r, relative: relative, rules: map[string]int{}, seen: map[string]int{}}
	driver := sarif.NewToolComponent().WithName("tafc").WithInformationURI(home).WithVersion(version)
	driver.Rules = c.addRules()
	run := sarif.NewRun().WithTool(sarif.NewTool().WithDriver(driver)).WithColumnKind("unicodeCodePoints")
	run.Results = []*sarif.Result{}
	run.OriginalUriBaseIds = map[string]sarif.ArtifactLocation{
		root: *sarif.NewArtifactLocation().WithDescription(sarif.NewTextMessage("The top of the repository.")),
	}
	invocation := sarif.NewInvocation().WithExecutionSuccessful(true)
	for i := range r.Diagnostics {
		// Services refuse a result without a place. What has none is about the command line.
		if d := &r.Diagnostics[i]; d.Range != nil {
			run.Results = append(run.Results, c.result(d))
		} else {
			invocation.ToolConfigurationNotifications = append(invocation.ToolConfigurationNotifications, c.notification(d))
		}
	}
	run.Invocations = []*sarif.Invocation{invocation}
	report := sarif.NewReport()
	report.Schema = schema
	report.AddRun(run)
	if err := report.PrettyWrite(w); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// converter holds one Write.
type converter struct {
	report   *diag.Report
	relative func(string) string
	rules    map[string]int // index by code
	seen     map[string]int // how often a fingerprint came up
}

// addRules makes a rule of each code that the report has.
func (c *converter) addRules() []*sarif.ReportingDescriptor {
	levels := map[string]string{}
	for _, d := range c.report.Diagnostics {
		if levels[d.Code] != "error" {
			levels[d.Code] = d.Severity
		}
	}
	var codes []string
	for code := range levels {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	rules := []*sarif.ReportingDescriptor{}
	for i, code := range codes {
		c.rules[code] = i
		about, _ := docs.Explain(code)
		rule := sarif.NewRule(code).WithName(name(code)).WithHelpURI(about.URL).
			WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(levels[code]))
		if about.Summary != "" {
			rule.WithDescription(about.Summary)
			rule.WithMarkdownHelp(about.Help)
		}
		rules = append(rules, rule)
	}
	return rules
}

// name is a code in the form that SARIF asks of names: lang/unknown-reference is LangUnknownReference.
func name(code string) string {
	words := strings.FieldsFunc(code, func(r rune) bool { return r == '/' || r == '-' })
	for i, word := range words {
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

func (c *converter) result(d *diag.Diagnostic) *sarif.Result {
	res := sarif.NewRuleResult(d.Code).WithRuleIndex(c.rules[d.Code]).WithLevel(d.Severity).WithMessage(problem(d))
	res.PartialFingerprints = map[string]string{fingerprint: c.fingerprint(d)}
	res.Locations = []*sarif.Location{c.location(*d.Range, d.Snippet)}
	for _, related := range d.Related {
		res.RelatedLocations = append(res.RelatedLocations, c.location(related.Range, nil).WithMessage(message(related.Message)))
	}
	return res
}

func (c *converter) notification(d *diag.Diagnostic) *sarif.Notification {
	rule := sarif.NewReportingDescriptorReference().WithID(d.Code).WithIndex(c.rules[d.Code])
	return sarif.NewNotification().WithAssociatedRule(rule).WithLevel(d.Severity).WithMessage(problem(d))
}

func problem(d *diag.Diagnostic) *sarif.Message {
	if d.Detail == "" {
		return message(d.Summary)
	}
	return message(d.Summary + ". " + d.Detail)
}

// What a reader of SARIF would take for an argument to fill in, or for a link.
var (
	placeholder = lazy.Regexp(`\{(\d+)\}`)
	link        = lazy.Regexp(`\[([^\[\]]*)\]\(`)
)

// message takes a text as it is.
func message(text string) *sarif.Message {
	text = placeholder().ReplaceAllString(text, "{{$1}}")
	return sarif.NewTextMessage(link().ReplaceAllString(text, `\[$1\](`))
}

func (c *converter) location(rng diag.Range, snippet *diag.Snippet) *sarif.Location {
	place := sarif.NewPhysicalLocation().WithArtifactLocation(c.artifact(rng.Filename))
	if rng.Start.Line > 0 {
		chars := c.report.InCodePoints(rng)
		region := sarif.NewRegion().WithStartLine(rng.Start.Line).WithStartColumn(chars.Start.Column)
		if rng.End.Line >= rng.Start.Line {
			region.WithEndLine(rng.End.Line).WithEndColumn(max(chars.End.Column, 1))
		}
		place.WithRegion(region)
		if snippet != nil {
			place.WithContextRegion(sarif.NewRegion().WithStartLine(snippet.StartLine).WithSnippet(sarif.NewArtifactContent().WithText(snippet.Code)))
		}
	}
	return sarif.NewLocationWithPhysicalLocation(place)
}

// artifact names a file by its path below the top of the repository, or by its file URL where it lies outside.
func (c *converter) artifact(filename string) *sarif.ArtifactLocation {
	path := c.relative(filename)
	if filepath.IsAbs(filepath.FromSlash(path)) {
		return sarif.NewSimpleArtifactLocation((&url.URL{Scheme: "file", Path: path}).String())
	}
	return sarif.NewSimpleArtifactLocation((&url.URL{Path: path}).EscapedPath()).WithURIBaseID(root)
}

// fingerprint recognises a result when lines were added above it: by its code, its file and the text of its line.
func (c *converter) fingerprint(d *diag.Diagnostic) string {
	line := ""
	if d.Snippet != nil {
		line = strings.Join(strings.Fields(d.Snippet.Code), " ")
	}
	key := strings.Join([]string{d.Code, c.relative(d.Range.Filename), line, d.Summary}, "\x00")
	c.seen[key]++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", key, c.seen[key]))
	return hex.EncodeToString(sum[:16])
}
