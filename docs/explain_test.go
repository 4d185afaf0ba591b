package docs_test

import (
	"strings"
	"testing"

	"github.com/tafc/tafc/docs"
)

// TestExplain makes sure that every code has an explanation that stands for itself.
func TestExplain(t *testing.T) {
	for _, code := range sourceCodes(t) {
		e, ok := docs.Explain(code)
		if !ok || e.Summary == "" || strings.HasPrefix(e.Summary, "```") || strings.HasPrefix(e.Summary, "Way out") {
			t.Errorf("%s: the section begins with %q, not with a sentence", code, e.Summary)
		}
		if !strings.Contains(e.Help, "Way out: ") || strings.Contains(e.Help, "\n### ") {
			t.Errorf("%s: not one section:\n%s", code, e.Help)
		}
	}
	if _, ok := docs.Explain("lang/no-such-code"); ok {
		t.Error("a code that is not there is explained")
	}
}
