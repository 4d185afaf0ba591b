package redact_test

import (
	"testing"

	"github.com/tafc/tafc/internal/redact"
)

func TestURLs(t *testing.T) {
	for _, test := range []struct{ text, want, mask string }{
		{"dir:data", "dir:data", "dir:data"},
		{"s3://bucket/a@b:c", "s3://bucket/a@b:c", "s3://bucket/a@b:c"},
		{"postgres://u@h/db", "postgres://u@h/db", "postgres://u@h/db"},
		{"postgres://u:pw@h:5432/db?x=1", "postgres://u@h:5432/db?x=1", "postgres://u:**@h:5432/db?x=1"},
		{"postgres://u:p@w/x@h/db", "postgres://u@h/db", "postgres://u:*****@h/db"},
		{"postgres://:pw@h/db", "postgres://@h/db", "postgres://:**@h/db"},
		{"postgres://h/db?user=u&password=pw&x=1", "postgres://h/db?user=u&password=&x=1", "postgres://h/db?user=u&password=**&x=1"},
		{"postgres://h/db?sslpassword=pw", "postgres://h/db?sslpassword=", "postgres://h/db?sslpassword=**"},
		{`source = "postgres://u:pw@h/db" # me@x`, `source = "postgres://u@h/db" # me@x`, `source = "postgres://u:**@h/db" # me@x`},
		{"service:https://u:pw@h/files", "service:https://u@h/files", "service:https://u:**@h/files"},
	} {
		if got := redact.URLs(test.text); got != test.want {
			t.Errorf("URLs(%q) = %q, want %q", test.text, got, test.want)
		}
		if got := redact.Mask(test.text); got != test.mask {
			t.Errorf("Mask(%q) = %q, want %q", test.text, got, test.mask)
		}
		if got := redact.Has(test.text); got != (test.text != test.want) {
			t.Errorf("Has(%q) = %v", test.text, got)
		}
	}
}
