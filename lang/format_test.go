package lang_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/lang"
)

func TestFormat(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"alignment and indentation", "map \"m\" {\ninput=filter.f\n    code = \"m.py\" # why\n}\n", "map \"m\" {\n  input = filter.f\n  code  = \"m.py\" # why\n}\n"},
		{"blanks inside brackets", "batch { max_files=3 }\nx = [ 1,2 ]\n", "batch { max_files = 3 }\nx = [1, 2]\n"},
		{"what does not parse stays", "map {  a=\n", "map {  a=\n"},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, string(lang.Format([]byte(tt.src)))); diff != "" {
				t.Errorf("Format (-want +got):\n%s", diff)
			}
		})
	}
}
