package tctest_test

import (
	"net/http"
	"strings"
	"testing"
)

// upload puts text where an address says, with headers.
func upload(t *testing.T, address, text string, header map[string]string) {
	t.Helper()
	r, err := http.NewRequest("PUT", address, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	a, err := send(r)
	if err != nil || a.status != 200 {
		t.Fatalf("put: %v %d %s", err, a.status, a.text)
	}
}
