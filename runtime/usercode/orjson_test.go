package usercode_test

import (
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tafc/tafc/internal/require"
	"github.com/tafc/tafc/runtime/usercode"
)

// What a parser may see differently from another one.
var curious = []string{
	`0`, `-0`, `-0.0`, `1E5`, `1e400`, `-1e400`, `1e-400`, `5e-324`, `2.2250738585072011e-308`, `9007199254740993`, `0.1`, `1e2`, `NaN`, `-Infinity`,
	`18446744073709551615`, `18446744073709551616`, `-9223372036854775808`, `-9223372036854775809`, `123456789012345678901234567890`,
	`"\ud800"`, `"\ud83d\ude00"`, `"\u0000"`, `{"a":1,"b":2,"a":3}`, ` 1 `, `[1,]`, `"a	b"`, "\"\xff\"", `1 2`, ``, `{"a":{"b":[1,2.50,"x",null,true]}}`,
}

// TestOrjson compares what Python code gets with orjson and without it.
func TestOrjson(t *testing.T) {
	require.Tool(t, "python3")
	if exec.Command("python3", "-c", "import orjson").Run() != nil {
		t.Skip("python3 has no orjson")
	}
	source := "def map(record):\n    yield record.bytes.decode('latin-1'), repr(record.value)\n"
	said := func(hide string) *recorder {
		code := write(t, "python", "", "m.py", hide+source)
		var blocks []*usercode.Block
		for _, text := range curious { // one a block: the parser is chosen by block
			blocks = append(blocks, block("f", false, text))
		}
		blocks = append(blocks, block("f", false, curious...))
		r, err := runMap(t, usercode.Options{Code: code, Format: "jsonl"}, blocks...)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	// The helper asks for orjson before it loads the code, so the code puts the parser of the standard library in its place.
	with := said("import sys\nassert 'orjson' in sys.modules\n")
	without := said("import taf_contracts, taf_data\ntaf_contracts.Formats.reader = lambda self, long_numbers: self.value\n")
	if diff := cmp.Diff(without.pairs.String(), with.pairs.String()); diff != "" {
		t.Errorf("pairs (-json +orjson):\n%s", diff)
	}
	if diff := cmp.Diff(without.bad, with.bad); diff != "" {
		t.Errorf("bad records (-json +orjson):\n%s", diff)
	}
	if len(with.bad) == 0 || with.pairs.Len() == 0 {
		t.Error("nothing was compared")
	}
}
