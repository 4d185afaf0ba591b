package mapper

import (
	"io"
	"os"
	"strings"
	"testing"
)

func TestEnvironmentFromStdin(t *testing.T) {
	for _, name := range []string{"TAFC_TEST_A", "TAFC_TEST_B"} {
		t.Setenv(name, "before")
	}
	t.Setenv(EnvStdin, "1")
	s := Streams{Stdin: strings.NewReader(`{"TAFC_TEST_A":"a\n\"b\""}` + "\nrest")}
	if err := s.readEnv(); err != nil {
		t.Fatal(err)
	}
	if a, b := os.Getenv("TAFC_TEST_A"), os.Getenv("TAFC_TEST_B"); a != "a\n\"b\"" || b != "before" {
		t.Errorf("%q, %q", a, b)
	}
	if rest, err := io.ReadAll(s.Stdin); err != nil || string(rest) != "rest" {
		t.Errorf("%q, %v: what follows the line is left", rest, err)
	}
	if _, set := os.LookupEnv(EnvStdin); set {
		t.Error("the code would look for it as well")
	}
	for _, text := range []string{"", "{}", "{\"a\":1}\n", "{\"SECRET\":\"secret\"\n", "{\"a=b\":\"c\"}\n"} {
		t.Setenv(EnvStdin, "1")
		s := Streams{Stdin: strings.NewReader(text)}
		if err := s.readEnv(); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, want an error without what was read", text, err)
		}
	}
}
