package lang

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/lazy"
)

// Notify says who is told how a run ended.
type Notify struct {
	Block
	Email  []string // addresses
	Slack  []string // ids of channels
	Matrix []string // ids of rooms
	On     []string // done, partial, failed
}

var notifySchema = BlockSchema{Type: "notify", Many: true, Doc: "Who is told how a run ended.", Args: []ArgSchema{
	{Name: "email", Type: TOneOrMore, Doc: "E-mail addresses."},
	{Name: "slack", Type: TOneOrMore, Doc: "Ids of Slack channels, such as C0123456789."},
	{Name: "matrix", Type: TOneOrMore, Doc: "Ids of Matrix rooms, such as !abc:example.org."},
	{Name: "on", Type: TOneOrMore, words: &runEnds, Default: `["done", "partial", "failed"]`, Doc: "The ends that are told: done, partial, failed."},
}}

var (
	slackPattern  = lazy.Regexp(`^[A-Z][A-Z0-9]{7,31}$`)
	matrixPattern = lazy.Regexp(`^![^\s:]+(:[^\s]+)?$`)
)

func (l *loader) notify(b *block) *Notify {
	n := &Notify{Block: b.Block, On: runEnds.words}
	told := false
	for _, kind := range []struct {
		name string
		to   *[]string
		fits func(string) bool
		want string
	}{
		{"email", &n.Email, isAddress, "an e-mail address, such as \"you@example.org\""},
		{"slack", &n.Slack, slackPattern().MatchString, "the id of a channel, such as \"C0123456789\": Slack shows it at the end of what it says about the channel"},
		{"matrix", &n.Matrix, matrixPattern().MatchString, "the id of a room, which begins with an exclamation mark, such as \"!abc:example.org\""},
	} {
		told = told || l.given(b, kind.name)
		list, ranges, _ := l.filledTexts(b, kind.name)
		for i, s := range list {
			if !kind.fits(s) {
				l.bad(b, kind.name, s, kind.want, ranges[i])
			}
		}
		*kind.to = list
	}
	if !told {
		l.add(diag.Error("lang/missing-argument", "Missing argument",
			"A block of type notify needs somebody to tell: email, slack or matrix.", b.DeclRange))
	}
	on, ranges, ok := l.filledTexts(b, "on")
	for i, s := range on {
		if !l.known(s, "end of a run", runEnds.words, ranges[i]) {
			ok = false
		}
	}
	set(&n.On, on, ok)
	return n
}

// known reports a word that is none of a set.
func (l *loader) known(s, what string, words []string, rng hcl.Range) bool {
	for _, w := range words {
		if w == s {
			return true
		}
	}
	l.add(diag.Error("lang/unknown-word", "Unknown word",
		fmt.Sprintf("There is no %s %q.%s Known are %s.", what, s, diag.DidYouMean(s, words), list(quoted(words), "and")), rng))
	return false
}
