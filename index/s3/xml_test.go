package s3

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const answer = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>library</Name><Prefix>a/</Prefix><StartAfter></StartAfter><KeyCount>2</KeyCount>
<Contents><ETag>&#34;70ee1738b6b21e2c8a43f3a5ab0eee71&#34;</ETag><Key>a/b&amp;c d&#xD;</Key><LastModified>2014-03-01T10:20:30.000Z</LastModified>
<Owner><ID>x</ID><Key>no</Key></Owner><Size>11</Size><StorageClass>STANDARD</StorageClass></Contents>
<CommonPrefixes><Prefix>a/&lt;x&gt;/</Prefix></CommonPrefixes><Delimiter>/</Delimiter><IsTruncated>true</IsTruncated><NextContinuationToken>t=</NextContinuationToken><EncodingType/></ListBucketResult>
`

func TestParsePage(t *testing.T) {
	got, err := parsePage(answer)
	if err != nil {
		t.Fatal(err)
	}
	want := &page{
		objects:  []object{{key: "a/b&c d\r", etag: "70ee1738b6b21e2c8a43f3a5ab0eee71", size: 11, modified: time.Date(2014, 3, 1, 10, 20, 30, 0, time.UTC).Unix()}},
		prefixes: []string{"a/<x>/"}, last: "a/b&c d\r", next: "t=",
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(page{}, object{})); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
	got, err = parsePage(`<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%2Fb+c%26</Key><Size>1</Size></Contents></ListBucketResult>`)
	if err != nil || len(got.objects) != 1 || got.objects[0].key != "a/b c&" {
		t.Errorf("%+v, %v", got, err)
	}
	for end := range len(strings.TrimSpace(answer)) { // no part of an answer is taken for a whole one
		if p, err := parsePage(answer[:end]); err == nil {
			t.Fatalf("the first %d bytes make a page: %+v", end, p)
		}
	}
	for _, wrong := range []string{
		"", "hello", "<html></html>", "<ListBucketResult><Contents></ListBucketResult>", "<ListBucketResult><Contents><Key>&nbsp;</Key></Contents></ListBucketResult>",
		"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
		"<ListBucketResult><Contents><Key>a</Key><Size>x</Size></Contents></ListBucketResult>", "<!DOCTYPE html><ListBucketResult></ListBucketResult>",
	} {
		if p, err := parsePage(wrong); err == nil {
			t.Errorf("%s is taken for a page: %+v", wrong, p)
		}
	}
}

// FuzzParsePage: nothing panics, and where encoding/xml reads the document as well, both read the same keys.
func FuzzParsePage(f *testing.F) {
	f.Add(answer)
	f.Add("<ListBucketResult><Contents><Key>&#65;</Key></Contents></ListBucketResult>")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parsePage(text)
		var want struct {
			XMLName  xml.Name `xml:"ListBucketResult"`
			Encoding string   `xml:"EncodingType"`
			Contents []struct{ Key string }
		}
		if err != nil || xml.Unmarshal([]byte(text), &want) != nil || want.Encoding == "url" || strings.ContainsAny(text, "\x00\t'=") || strings.Contains(text, ":") {
			return
		}
		if len(got.objects) != len(want.Contents) {
			t.Fatalf("%d objects, encoding/xml has %d", len(got.objects), len(want.Contents))
		}
		for i, c := range want.Contents {
			if c.Key != got.objects[i].key {
				t.Fatalf("key %q, encoding/xml has %q", got.objects[i].key, c.Key)
			}
		}
	})
}
