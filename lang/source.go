package lang

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/lazy"
	"github.com/tafc/tafc/internal/redact"
)

func (l *loader) index(b *block) *Index {
	x := &Index{Block: b.Block}
	scheme := ""
	if s, rng, ok := l.filled(b, "source"); ok {
		x.Source = s
		scheme = l.sourceScheme(s, rng)
		l.password(b, s, rng)
	}
	if s, rng, ok := l.filled(b, "root"); ok {
		x.Root = s
		l.rootScheme(s, rng)
	}
	if s, rng, ok := l.filled(b, "layout"); ok {
		x.Layout = s
		dims, err := LayoutDimensions(s)
		if err != nil {
			l.add(diag.Error("lang/bad-layout", "Bad layout", sentence(err.Error())+diag.DidYouMean(s, layoutNames()), rng))
		} else {
			l.dims[b.Name], l.dates[b.Name] = dims, layoutDate(s)
		}
	}
	if s, rng, ok := l.filled(b, "table"); ok {
		x.Table = s
		l.onlyDatabases("table", scheme, rng)
	}
	if m, ok := l.textMap(b, "columns"); ok {
		x.Columns = m
		l.onlyDatabases("columns", scheme, b.Range("columns"))
		if scheme == "sqlite" && !l.given(b, "table") {
			l.add(diag.Error("lang/misplaced", "Misplaced setting",
				"An index file of tafc has columns of its own; columns belongs to another table. Add table = \"NAME\", or remove columns.", b.Range("columns")))
		}
	}
	x.S3 = l.s3(b, scheme == "s3" || strings.HasPrefix(x.Source, "inventory:s3://") || strings.HasPrefix(x.Root, "s3://"))
	return x
}

// s3 reads how a bucket is reached.
func (l *loader) s3(b *block, used bool) S3 {
	var x S3
	texts := []struct {
		name string
		to   *string
	}{{"endpoint", &x.Endpoint}, {"region", &x.Region}, {"profile", &x.Profile}}
	for _, t := range texts {
		*t.to, _, _ = l.filled(b, t.name)
	}
	x.Anonymous = l.flag(b, "anonymous")
	if v, _, ok := l.convertArg(b, "path_style", cty.Bool); ok {
		style := v.True()
		x.PathStyle = &style
	}
	if u, err := url.Parse(x.Endpoint); x.Endpoint != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		l.bad(b, "endpoint", x.Endpoint, "the URL of a server without credentials, such as \"https://s3.example.org\"", b.Range("endpoint"))
	}
	if x.Anonymous && x.Profile != "" {
		l.add(diag.Error("lang/misplaced", "Misplaced setting",
			"Requests that are not signed use no credentials, so profile has no meaning beside anonymous = true. Remove one of the two.", b.Range("profile")))
	}
	for _, name := range []string{"endpoint", "region", "profile", "anonymous", "path_style"} {
		if b.written(name) && !used && b.written("source") {
			l.add(diag.Error("lang/misplaced", "Misplaced setting",
				fmt.Sprintf("The argument %s says how an S3 bucket is reached, and neither source nor root of this index is an s3:// URL. Remove it.", name), b.Range(name)))
		}
	}
	return x
}

// onlyDatabases reports a setting of tables at a source that has none.
func (l *loader) onlyDatabases(name, scheme string, rng hcl.Range) {
	what := map[string]string{"dir": "A folder", "service": "An index service", "inventory": "An inventory", "s3": "A bucket"}[scheme]
	if what != "" {
		l.add(diag.Error("lang/misplaced", "Misplaced setting",
			fmt.Sprintf("%s has no tables; %s belongs to a source that is a database, such as sqlite:index.db. Remove it.", what, name), rng))
	}
}

// password warns about a password that the file spells out.
func (l *loader) password(b *block, s string, rng hcl.Range) {
	if !redact.Has(s) {
		return
	}
	if _, diags := b.attr("source").Expr.Value(nil); diags.HasErrors() {
		return // it comes from elsewhere
	}
	how := "give it in PGPASSWORD or ~/.pgpass"
	if strings.HasPrefix(s, "service:") {
		how = "take it out of the environment: \"service:https://me:${env(\"PASSWORD\")}@host/files\""
	}
	l.add(diag.Warning("lang/password-in-source", "Password in the file",
		fmt.Sprintf("Everybody who can read this file can read the password in it. It is left out of whatever tafc prints or saves, so a saved plan cannot be applied with it. Remove it, and %s.", how), rng))
}

// sourceScheme checks the source of an index and returns the part before the colon.
func (l *loader) sourceScheme(s string, rng hcl.Range) string {
	s = redact.URLs(s)
	scheme, path, found := strings.Cut(s, ":")
	switch {
	case slices.Contains(sources.later, scheme) && found:
		l.notBuilt(fmt.Sprintf("The source %s: of an index", scheme), rng)
	case !found || len(scheme) == 1: // a drive letter
		l.add(diag.Error("lang/unknown-source", "Unknown source",
			fmt.Sprintf("%q does not say what kind of source it is. Write \"dir:%s\" for a folder, \"sqlite:%s\" for a database file, postgres://HOST/DATABASE, or s3://BUCKET/FOLDER.", s, s, s), rng))
	case scheme == "http" || scheme == "https":
		l.add(diag.Error("lang/unknown-source", "Unknown source",
			fmt.Sprintf("%q does not say what answers there. Write \"service:%s\" for an index service.", s, s), rng))
	case !slices.Contains(sources.words, scheme):
		l.add(diag.Error("lang/unknown-source", "Unknown source",
			fmt.Sprintf("There is no source of the kind %q.%s Write dir:PATH for a folder, sqlite:PATH for a database file, postgres://HOST/DATABASE, or s3://BUCKET/FOLDER.", scheme,
				diag.DidYouMean(scheme, append(slices.Clone(sources.words), sources.later...))), rng))
	case scheme == "s3" && !bucketURL().MatchString(path):
		l.add(diag.Error("lang/unknown-source", "Unknown source",
			fmt.Sprintf("%q does not name a bucket. Write s3://BUCKET, or s3://BUCKET/FOLDER for a part of it.", s), rng))
	case strings.HasPrefix(scheme, "postgres") && !strings.HasPrefix(path, "//"):
		l.add(diag.Error("lang/unknown-source", "Unknown source",
			fmt.Sprintf("The source %q is no URL of a database. Write \"postgres://USER@HOST/DATABASE\"; what is left out comes from PGHOST, PGUSER and so on.", s), rng))
	case scheme == "service" && !strings.HasPrefix(path, "http://") && !strings.HasPrefix(path, "https://"):
		l.add(diag.Error("lang/unknown-source", "Unknown source",
			fmt.Sprintf("The source %q has no URL. Write \"service:https://HOST/files\".", s), rng))
	case strings.TrimSpace(path) == "":
		l.add(diag.Error("lang/unknown-source", "Unknown source",
			fmt.Sprintf("The source %q has no path. Write %s:PATH; the folder of this file is \".\".", s, scheme), rng))
	}
	return scheme
}

// bucketURL is what follows s3: in the URL of a bucket, or of a folder of it.
var bucketURL = lazy.Regexp(`^//[A-Za-z0-9][A-Za-z0-9._-]*(/|(/[^/?#]+)+/?)?$`)

// rootScheme checks what keys are relative to: a folder, as a path or a file: URL, a bucket, or a web server.
func (l *loader) rootScheme(s string, rng hcl.Range) {
	scheme, path, found := strings.Cut(s, "://")
	switch {
	case scheme == "s3" && found && !bucketURL().MatchString("//"+path):
		l.add(diag.Error("lang/unknown-source", "Unknown source",
			fmt.Sprintf("%q does not name a bucket. Write s3://BUCKET, or s3://BUCKET/FOLDER for a part of it.", s), rng))
	case (scheme == "https" || scheme == "http") && found && !webURL(s):
		l.add(diag.Error("lang/unknown-source", "Unknown source",
			"The root is not the URL of a folder. Write https://HOST/FOLDER, without credentials, query and fragment.", rng))
	case !found || slices.Contains(roots.words, scheme):
	default:
		l.add(diag.Error("lang/unknown-source", "Unknown source",
			fmt.Sprintf("Files cannot be fetched from %s://. Write the path of a folder, file:///PATH, s3://BUCKET/FOLDER or https://HOST/FOLDER.", scheme), rng))
	}
}

func webURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

func (l *loader) filter(b *block) *Filter {
	f := &Filter{Block: b.Block, AllowEmpty: l.flag(b, "allow_empty"), ExactKeys: l.flag(b, "exact_keys")}
	f.Limit, _ = l.count(b, "limit", 1)
	r, _, ok := l.reference(b, "index", "index")
	switch {
	case ok:
		f.Index = r.name
	case !l.given(b, "index"):
		f.Index = l.only(b, "index", "index")
	}
	where, exclude := b.child("where"), b.child("exclude")
	if l.given(b, "document") {
		f.Document, _, _ = l.filled(b, "document")
		if l.given(b, "exact_keys") {
			l.add(diag.Error("lang/misplaced", "Misplaced setting",
				"Conditions of a document always compare the values of keys as they are. Remove exact_keys.", b.Range("exact_keys"), diag.WithRelated("the document", b.Args["document"])))
		}
		for _, other := range []*block{where, exclude} {
			if other != nil {
				l.add(diag.Error("lang/where-and-document", "Conditions beside a document",
					fmt.Sprintf("The conditions of this filter are in its document, so there can be no %s block as well. Keep one of the two.", other.Type),
					other.DeclRange, diag.WithRelated("the document", b.Args["document"])))
			}
		}
	}
	f.Where = l.terms(where, f.Index)
	f.Exclude = l.terms(exclude, f.Index)
	return f
}

// given tells whether an argument is there and not null; a broken or misspelt one counts as there.
func (l *loader) given(b *block, name string) bool {
	a := b.attr(name)
	if a == nil {
		return b.stands(name)
	}
	before := len(l.diags)
	v, ok := l.eval(a.Expr)
	l.diags = l.diags[:before] // whoever reads the value reports
	return !ok || !v.IsNull()
}

// only finds what a reference that was left out can mean: the only block of a kind.
func (l *loader) only(b *block, arg, kind string) string {
	names := l.scope.names(kind)
	switch {
	case len(names) == 1 && l.scope.blocks[ref{kind, names[0]}] != nil && l.scope.blocks[ref{kind, names[0]}].each != nil:
		all := ref{kind, names[0]}
		l.add(diag.Error("lang/ambiguous-reference", "Reference needed",
			fmt.Sprintf("%s has a for_each, so it is one block for each element, and %s has to say which: %s = %s[\"KEY\"]. For all of them give this block for_each = %s and %s = each.value.",
				all, withArticle(b.Type), arg, all, all, arg), b.DeclRange))
	case len(names) == 1:
		from := ref{rootOf(b.Type), b.Name}
		l.implied[from] = append(l.implied[from], ref{kind, names[0]})
		return names[0]
	case len(names) > 1:
		choices := make([]string, len(names))
		for i, n := range names {
			choices[i] = kind + "." + n
		}
		l.add(diag.Error("lang/ambiguous-reference", "Reference needed",
			fmt.Sprintf("There are several blocks of type %s, so %s has to say which: %s = %s.", kind, withArticle(b.Type), arg, list(choices, "or")), b.DeclRange))
	case kind != "image" && !l.present[kind]:
		l.add(diag.Error("lang/missing-reference", "Nothing to refer to",
			fmt.Sprintf("A block of type %s needs %s, and the file has none. Add a block: %s \"NAME\" { … }.", b.Type, withArticle(kind), kind), b.DeclRange))
	}
	return ""
}

// terms reads a where or exclude block.
func (l *loader) terms(b *block, index string) []Term {
	if b == nil {
		return nil
	}
	var terms []Term
	for _, a := range b.attrs {
		known := l.dimension(a.Name, index, a.NameRange)
		l.here = a.Expr.Range()
		l.instead = nil
		before := len(l.diags)
		c, ok := l.condition(a.Name, a.Expr)
		switch {
		case ok && known && (!c.Dated || l.dateDimension(a.Name, index, a.NameRange)):
			terms = append(terms, Term{Dimension: a.Name, Condition: c, NameRange: a.NameRange, Range: a.Expr.Range(), At: valueRanges(a.Expr, len(c.Values))})
		case !ok && known && len(l.instead) > 0 && len(l.diags) == before+1:
			l.analysis.Doubts = append(l.analysis.Doubts, Doubt{Diag: l.diags[before], Index: index, Dimension: a.Name, Instead: l.instead})
		}
	}
	return terms
}

// valueRanges are the places of the n values of a condition, all the whole expression where they are not spelled out.
func valueRanges(expr hcl.Expression, n int) []hcl.Range {
	call, diags := hcl.ExprCall(expr)
	if diags.HasErrors() {
		return elementRanges(expr, n)
	}
	if len(call.Arguments) == 1 {
		return elementRanges(call.Arguments[0], n)
	}
	ranges := make([]hcl.Range, n)
	for i := range ranges {
		ranges[i] = expr.Range()
		if len(call.Arguments) == n {
			ranges[i] = call.Arguments[i].Range()
		}
	}
	return ranges
}

// dimension reports a dimension that the index does not have, where the file tells.
func (l *loader) dimension(name, index string, rng hcl.Range) bool {
	dims := l.dims[index]
	if dims == nil || slices.Contains(dims, name) {
		return true
	}
	var opts []diag.Option
	if b := l.scope.blocks[ref{"index", index}]; b != nil {
		opts = append(opts, diag.WithRelated("the layout", b.Range("layout")))
	}
	l.add(diag.Error("lang/unknown-dimension", "Unknown dimension",
		fmt.Sprintf("The index %q has no dimension named %q.%s Its layout has %s.", index, name, diag.DidYouMean(name, dims), list(dims, "and")), rng, opts...))
	return false
}

func (l *loader) image(b *block) *Image {
	x := &Image{Block: b.Block}
	x.Ref, _, _ = l.filled(b, "name")
	if c := b.child("build"); c != nil {
		x.Build = &ImageBuild{Block: c.Block, Dockerfile: "Dockerfile"}
		if strings.Contains(x.Ref, "@") {
			l.bad(b, "name", x.Ref, "a name without a digest, because what is built gets its digest by that", b.Range("name"))
		}
		x.Build.Context, _, _ = l.filled(c, "context")
		if s, _, ok := l.filled(c, "dockerfile"); ok {
			x.Build.Dockerfile = s
		}
		x.Build.Args, _ = l.textMap(c, "args")
		x.Build.Target, _, _ = l.text(c, "target")
	}
	return x
}
