package inventory_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"github.com/tafc/tafc/index"
	"github.com/tafc/tafc/index/inventory"
	"github.com/tafc/tafc/internal/s3client"
	"github.com/tafc/tafc/internal/s3test"
)

// object is a row of the inventory of a bucket with versions, as S3 writes it.
type object struct {
	Bucket           string     `parquet:"bucket"`
	Key              string     `parquet:"key"`
	VersionID        *string    `parquet:"version_id,optional"`
	IsLatest         *bool      `parquet:"is_latest,optional"`
	IsDeleteMarker   *bool      `parquet:"is_delete_marker,optional"`
	Size             *int64     `parquet:"size,optional"`
	LastModifiedDate *time.Time `parquet:"last_modified_date,optional,timestamp(millisecond)"`
	ETag             *string    `parquet:"e_tag,optional"`
	StorageClass     *string    `parquet:"storage_class,optional"`
}

func of[T any](v T) *T { return &v }

// objects are two data files, in no order, with all that is no file.
var objects = [][]object{
	{
		{Key: "b/ä +&=,\"1\".log", Size: of(int64(2)), ETag: of("e2"), IsLatest: of(true)},
		{Key: "old", Size: of(int64(9)), ETag: of("x"), IsLatest: of(false)},
		{Key: "gone", IsLatest: of(true), IsDeleteMarker: of(true)},
		{Key: "folder/", Size: of(int64(0)), IsLatest: of(true)},
	},
	{
		{Key: "old", Size: of(int64(1)), ETag: of("e1"), IsLatest: of(true)},
		{Key: "a/100%25.log", Size: of(int64(3)), ETag: of("e3-2"), IsLatest: of(true)},
	},
}

var wantFiles = []string{"a/100%25.log 3 e3-2", "b/ä +&=,\"1\".log 2 e2", "old 1 e1"}

const csvSchema = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass"

func csvData(t testing.TB, list []object) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := csv.NewWriter(z)
	text := func(v any) string {
		switch v := v.(type) {
		case *bool:
			if v != nil {
				return fmt.Sprint(*v)
			}
		case *int64:
			if v != nil {
				return fmt.Sprint(*v)
			}
		case *string:
			if v != nil {
				return *v
			}
		}
		return ""
	}
	for _, o := range list {
		deleted := text(o.IsDeleteMarker)
		if deleted == "" {
			deleted = "false"
		}
		if err := w.Write([]string{"telemetry", url.QueryEscape(o.Key), "v", text(o.IsLatest), deleted, text(o.Size), "2014-03-08T00:00:00.000Z", text(o.ETag), "STANDARD"}); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func parquetData(t testing.TB, list []object) []byte {
	t.Helper()
	var out bytes.Buffer
	w := parquet.NewGenericWriter[object](&out)
	if _, err := w.Write(list); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func sum(data []byte) string {
	digest := md5.Sum(data)
	return hex.EncodeToString(digest[:])
}

// written is an inventory as keys of the destination bucket.
func written(t testing.TB, format string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	type entry struct {
		Key  string `json:"key"`
		Size int    `json:"size"`
		MD5  string `json:"MD5checksum"`
	}
	var entries []entry
	for i, list := range objects {
		data, suffix := csvData(t, list), "csv.gz"
		if format != "CSV" {
			data, suffix = parquetData(t, list), "parquet"
		}
		key := fmt.Sprintf("inv/telemetry/daily/data/%d.%s", i, suffix)
		files[key] = data
		entries = append(entries, entry{key, len(data), sum(data)})
	}
	schema := csvSchema
	if format != "CSV" {
		schema = "message s3.inventory { required binary bucket (UTF8); required binary key (UTF8); }"
	}
	text, err := json.Marshal(map[string]any{
		"sourceBucket": "telemetry", "destinationBucket": "arn:aws:s3:::inventories", "version": "2016-11-30", "creationTimestamp": "1514944800000",
		"fileFormat": format, "fileSchema": schema, "files": entries,
	})
	if err != nil {
		t.Fatal(err)
	}
	files["inv/telemetry/daily/2014-03-08T00-00Z/manifest.json"] = text
	files["inv/telemetry/daily/2014-03-08T00-00Z/manifest.checksum"] = []byte(sum(text) + "\n")
	files["inv/telemetry/daily/2014-03-07T00-00Z/manifest.json"] = []byte("{}")
	return files
}

func put(t testing.TB, root string, files map[string][]byte) {
	t.Helper()
	for key, data := range files {
		path := filepath.Join(root, filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func list(t testing.TB, src index.Source) []string {
	t.Helper()
	var got []string
	err := src.Scan(context.Background(), func(f index.File) error {
		got = append(got, fmt.Sprintf("%s %d %s", f.Key, f.Size, f.ETag))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestFolder(t *testing.T) {
	revisions := map[string]bool{}
	for _, format := range []string{"CSV", "Parquet"} {
		root := t.TempDir()
		put(t, root, written(t, format))
		for _, path := range []string{"inv/telemetry/daily", "inv/telemetry/daily/2014-03-08T00-00Z", "inv/telemetry/daily/2014-03-08T00-00Z/manifest.json"} {
			src, err := inventory.Open(t.Context(), "inventory:x", filepath.Join(root, path), s3client.Config{})
			if err != nil {
				t.Fatalf("%s %s: %v", format, path, err)
			}
			if diff := cmp.Diff(wantFiles, list(t, src)); diff != "" {
				t.Errorf("%s %s: %s", format, path, diff)
			}
			if src.Root() != "s3://telemetry/" {
				t.Error(src.Root())
			}
			revision, err := src.Revision(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			revisions[revision] = true
		}
	}
	if len(revisions) != 2 {
		t.Errorf("revisions %v", revisions)
	}
}

func TestBucket(t *testing.T) {
	server := s3test.Start(t)
	server.Setenv(t)
	server.Bucket(t, "inventories")
	for key, data := range written(t, "Parquet") {
		server.Put(t, "inventories", key, data)
	}
	for _, path := range []string{"s3://inventories/inv/telemetry/daily", "s3://inventories/inv/telemetry/daily/2014-03-08T00-00Z/manifest.json"} {
		src, err := inventory.Open(t.Context(), "inventory:"+path, path, s3client.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wantFiles, list(t, src)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	if _, err := inventory.Open(t.Context(), "inventory:x", "s3://inventories/none", s3client.Config{}); err == nil || !strings.Contains(err.Error(), "has no manifest.json") {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	const dated = "inv/telemetry/daily/2014-03-08T00-00Z/"
	replace := func(old, to string) func(map[string][]byte) {
		return func(files map[string][]byte) {
			files[dated+"manifest.json"] = bytes.ReplaceAll(files[dated+"manifest.json"], []byte(old), []byte(to))
			delete(files, dated+"manifest.checksum")
		}
	}
	for _, test := range []struct {
		name, format string
		change       func(map[string][]byte)
		want         string
	}{
		{"manifest changed", "CSV", func(f map[string][]byte) { f[dated+"manifest.json"] = append(f[dated+"manifest.json"], ' ') }, "is not what its manifest.checksum is about"},
		{"no manifest", "CSV", replace("sourceBucket", "source"), "it is no manifest of an inventory"},
		{"ORC", "CSV", replace(`"fileFormat":"CSV"`, `"fileFormat":"ORC"`), "its data files are ORC, which tafc does not read"},
		{"no key in the schema", "CSV", replace("Bucket, Key", "Bucket, Name"), "has no Key"},
		{"data changed", "CSV", func(f map[string][]byte) { f["inv/telemetry/daily/data/1.csv.gz"] = csvData(t, nil) }, "its checksum is"},
		{"data cut off", "CSV", func(f map[string][]byte) {
			f["inv/telemetry/daily/data/1.csv.gz"] = f["inv/telemetry/daily/data/1.csv.gz"][:20]
		}, "copied only in part"},
		{"data gone", "CSV", func(f map[string][]byte) { delete(f, "inv/telemetry/daily/data/1.csv.gz") }, "the data file is neither beside"},
		{"leads out", "CSV", replace("inv/telemetry/daily/data/1", "inv/../../1"), "leads out of the inventory"},
		{"other columns", "CSV", replace(", StorageClass", ""), "wrong number of fields"},
		{"no Parquet", "Parquet", func(f map[string][]byte) {
			f["inv/telemetry/daily/data/1.parquet"] = []byte("PAR1 nothing PAR1")
			replace(sum(parquetData(t, objects[1])), "")(f)
		}, "1.parquet: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			root, files := t.TempDir(), written(t, test.format)
			test.change(files)
			put(t, root, files)
			src, err := inventory.Open(t.Context(), "inventory:x", filepath.Join(root, dated), s3client.Config{})
			if err == nil {
				err = src.Scan(t.Context(), func(index.File) error { return nil })
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
	if _, err := inventory.Open(t.Context(), "inventory:x", t.TempDir(), s3client.Config{}); err == nil || !strings.Contains(err.Error(), "has no manifest.json") {
		t.Error(err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"sourceBucket":"b","fileFormat":"CSV","fileSchema":"Bucket, Key","files":[{"key":"x"}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := inventory.ParseManifest(text); err == nil && !json.Valid(text) {
			t.Error("it is no JSON")
		}
	})
}

// Parquet is the library's; what a manifest vouches for is read.
func FuzzCSV(f *testing.F) {
	f.Add([]byte("telemetry,a%20b,v,true,false,12,2014-03-08T00:00:00.000Z,e,STANDARD\n"))
	f.Add([]byte("telemetry,%,v,,,,,,\n\"a"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		if _, err := z.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		_ = inventory.ReadCSV(zipped.Bytes())
	})
}
