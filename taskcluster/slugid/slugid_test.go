package slugid_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tafc/tafc/taskcluster/slugid"
)

func TestDerivedIDsAreValidAndStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOf(rapid.String()).Draw(t, "names")
		id := slugid.Derive(names...)
		if !slugid.Valid(id) || id[0] == '-' || id[0] == '_' {
			t.Fatalf("%q", id)
		}
		if again := slugid.Derive(names...); again != id {
			t.Fatalf("%q, then %q", id, again)
		}
	})
}

// The ids of tasks that were submitted are found again only as long as this does not change.
func TestDerive(t *testing.T) {
	for _, tt := range []struct {
		names []string
		want  string
	}{
		{nil, "Y7DEQpj8TBSa-_TImW-5JA"},
		{[]string{"run", "map"}, "HPe5KHmDSCO9hmPJy0FmjA"},
		{[]string{"runm", "ap"}, ""},
	} {
		got := slugid.Derive(tt.names...)
		if tt.want != "" && got != tt.want {
			t.Errorf("Derive(%q) = %q, want %q", tt.names, got, tt.want)
		}
		if tt.want == "" && got == slugid.Derive("run", "map") {
			t.Errorf("Derive(%q) is the id of other names", tt.names)
		}
	}
}

func TestValid(t *testing.T) {
	for id, want := range map[string]bool{
		"X2kr8VYmRraEwtZIinw4cw":   true,
		"-Ms72PBCSvmXMe7I884GrQ":   true, // accepted by the queue
		"":                         false,
		"not-a-slug":               false,
		"X2kr8VYmAraEwtZIinw4cw":   false, // not version 4
		"X2kr8VYmRraEwtZIinw4cz":   false, // bits behind the end
		"X2kr8VYmRraEwtZIinw4cw\n": false,
		"X2kr8VYmRraEwtZIinw4cwA":  false,
	} {
		if got := slugid.Valid(id); got != want {
			t.Errorf("Valid(%q) = %v", id, got)
		}
	}
	if id := slugid.New(); !slugid.Valid(id) || id == slugid.New() {
		t.Errorf("New() = %q", id)
	}
}
