package lang

import "testing"

// Hints as the diagnostics have them, and how a file in JSON shows them.
func TestHintsInJSON(t *testing.T) {
	tests := []struct{ native, json string }{
		{`max_files is an argument of the block batch. Write batch { max_files = … }.`, `max_files is an argument of the block batch. Write "batch": {"max_files": …}.`},
		{`A block of type map needs a name: map "NAME" { … }.`, `A block of type map needs a name: "map": {"NAME": {…}}.`},
		{`Add one: map "NAME" { code = "mapper.py" }.`, `Add one: "map": {"NAME": {"code": "mapper.py"}}.`},
		{`Add one: output "NAME" { value = reduce.NAME }.`, `Add one: "output": {"NAME": {"value": "reduce.NAME"}}.`},
		{`Write reduce "by_os" { input = map.by_os } and value = reduce.by_os.`, `Write "reduce": {"by_os": {"input": "map.by_os"}} and "value": "reduce.by_os".`},
		{`Write top = { field = "info.locale", n = 10 }.`, `Write "top": {"field": "info.locale", "n": 10}.`},
		{`Write where = { "info.OS" = "Linux" }.`, `Write "where": {"info.OS": "Linux"}.`},
		{`Write histogram = { field = "info.memsize", buckets = [0, 1024, 4096] }.`, `Write "histogram": {"field": "info.memsize", "buckets": [0, 1024, 4096]}.`},
		{`format = "jsonl", "csv", "tsv" or "telemetry".`, `"format": "jsonl", "csv", "tsv" or "telemetry".`},
		{`such as params = [text, count].`, `such as "params": ["text", "count"].`},
		{`A parameter is a name without quotes, such as params = [text].`, `A parameter is a name, such as "params": ["text"].`},
		{`has to say which: image = image.a or image.b.`, `has to say which: "image": "image.a" or image.b.`},
		{`hand it to the code, env = { NAME = var.t }, and use that there.`, `hand it to the code, "env": {"NAME": "${var.t}"}, and use that there.`},
		{`Write between("20140301", "20140305").`, `Write "${between(\"20140301\", \"20140305\")}".`},
		{`List the values, or write any() for all of them.`, `List the values, or write "${any()}" for all of them.`},
		{`For a range write between(least, most), atleast(…) or atmost(…).`, `For a range write between(least, most), atleast(…) or atmost(…).`},
		{`write a condition: for_each = CONDITION ? [1] : [].`, `write a condition: "for_each": "${CONDITION ? [1] : []}".`},
		{`Write expect = [[KEY, VALUE], …], or expect = { KEY = VALUE, … } when`, `Write "expect": [[KEY, VALUE], …], or "expect": {"KEY": VALUE, …} when`},
		{`Did you mean "input = x"? It is "${a = b}".`, `Did you mean "input = x"? It is "${a = b}".`},
		{`Give it code = "FILE", or command = "PROGRAM" for a program`, `Give it "code": "FILE", or "command": "PROGRAM" for a program`},
		{`The name "a\" and b = 1" is none.`, `The name "a\" and b = 1" is none.`},
		{`an unclosed "quote = 3 and { x = `, `an unclosed "quote = 3 and { x = `},
	}
	for _, tt := range tests {
		if got := inJSON(tt.native); got != tt.json {
			t.Errorf("inJSON(%q)\n gives %s\n  want %s", tt.native, got, tt.json)
		}
	}
}
