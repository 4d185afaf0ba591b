package compile_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/lang"
)

// lang checks dimensions without seeing the index: what it takes for a layout's dimensions must be what the index does.
func TestLanguageAndIndexAgreeOnDimensions(t *testing.T) {
	for _, text := range append(index.LayoutNames(), "{day:date}/{app}.{rest}", "x-{a}_{b}/{c}", "{a}{b}", "columns:a,day:date", "columns:", "columns:a,,b", "columns:a,a", "columns:a:day", "columns:rest", "columns:{a}", "{a", "no dimension") {
		layout, err := index.ParseLayout(text)
		names, langErr := lang.LayoutDimensions(text)
		if (err == nil) != (langErr == nil) {
			t.Errorf("%q: the index says %v, the language %v", text, err, langErr)
			continue
		}
		if err == nil {
			if d := cmp.Diff(layout.Dimensions(), names); d != "" {
				t.Errorf("%q: %s", text, d)
			}
		}
	}
}
