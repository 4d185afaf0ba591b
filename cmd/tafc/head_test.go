package main

import "testing"

func TestClip(t *testing.T) {
	for _, c := range []struct {
		text, want string
	}{
		{"short", "short"},
		{"12345678901234567890123", "1234567890123456789…"},
		{"ééééééééééééééééééééééé", "ééééééééééééééééééé…"},
		{"a\x1b[31m\nb", "a [31m b"},
	} {
		if got := clip(c.text, 20); got != c.want {
			t.Errorf("clip(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}
