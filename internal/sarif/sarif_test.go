package sarif_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/sarif"
)

const source = "# Ü 👩‍👩‍👧 é\nmap \"by os\" { inptu = filter.x }\n"

func at(line, from, to, start, end int) hcl.Range {
	return hcl.Range{
		Filename: "dir/my analysis.taf.hcl",
		Start:    hcl.Pos{Line: line, Column: from, Byte: start},
		End:      hcl.Pos{Line: line, Column: to, Byte: end},
	}
}

func examples() hcl.Diagnostics {
	return hcl.Diagnostics{
		diag.Error("lang/unknown-argument", "Unknown argument", "There is no [inptu](x) {0} { … }.\nDid you mean \"input\"?", at(2, 15, 20, 44, 49),
			diag.WithRelated("first declared here", at(1, 1, 2, 0, 1))),
		diag.Error("lang/unknown-argument", "Unknown argument", "Again.", at(2, 21, 22, 50, 51)),
		diag.Warning("lang/literal-star", "Pattern as a value", "", at(1, 3, 6, 2, 28)),
		diag.Error("lang/undeclared-variable", "Undeclared variable", "No place.", hcl.Range{}),
		diag.Error("lang/no-map", "No map", "A place without a line.", hcl.Range{Filename: "/elsewhere/x.taf.hcl"}),
		diag.Error("other/code", "A code without a section", "", at(2, 1, 4, 27, 30)),
	}
}

func write(t *testing.T, diags hcl.Diagnostics) []byte {
	t.Helper()
	r := diag.NewReport(diags, map[string][]byte{"dir/my analysis.taf.hcl": []byte(source)})
	var b bytes.Buffer
	if err := sarif.Write(&b, r, "1.2.3", func(name string) string { return name }); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSchema checks what is written with the schema that OASIS publishes.
func TestSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, diags := range map[string]hcl.Diagnostics{"none": nil, "all": examples()} {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(write(t, diags)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := bytes.Replace(write(t, examples()), []byte(`"startLine": 2`), []byte(`"startLine": 0`), 1)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(broken))
	if err != nil {
		t.Fatal(err)
	}
	if schema.Validate(doc) == nil {
		t.Error("the schema takes a line 0, so this test finds nothing")
	}
}

func TestGolden(t *testing.T) {
	const golden = "testdata/all.sarif"
	got := write(t, examples())
	if again := write(t, examples()); !bytes.Equal(got, again) {
		t.Error("written twice, not the same bytes")
	}
	if os.Getenv("TAFC_UPDATE") != "" {
		if err := os.WriteFile(golden, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-golden +written, TAFC_UPDATE=1 accepts):\n%s", diff)
	}
}

// TestFingerprints makes sure that a result is recognised when lines are added above it, and told from others.
func TestFingerprints(t *testing.T) {
	prints := func(src string, diags hcl.Diagnostics) []string {
		r := diag.NewReport(diags, map[string][]byte{"dir/my analysis.taf.hcl": []byte(src)})
		var b strings.Builder
		if err := sarif.Write(&b, r, "", func(name string) string { return name }); err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Runs []struct {
				Results []struct{ PartialFingerprints map[string]string }
			}
		}
		if err := json.Unmarshal([]byte(b.String()), &doc); err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, res := range doc.Runs[0].Results {
			out = append(out, res.PartialFingerprints["tafcDiagnostic/v1"])
		}
		return out
	}
	problem := func(line, column int) *hcl.Diagnostic {
		return diag.Error("lang/x", "X", "At a place.", at(line, column, column+1, line*100+column, line*100+column+1))
	}
	before := prints("x = 1\n", hcl.Diagnostics{problem(1, 1), problem(1, 2)})
	after := prints("# more\n\nx  =  1\n", hcl.Diagnostics{problem(3, 1), problem(3, 2)})
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("lines above change fingerprints:\n%s", diff)
	}
	if len(before) != 2 || before[0] == before[1] {
		t.Errorf("two results of one line have one fingerprint: %v", before)
	}
}
