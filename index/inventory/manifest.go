package inventory

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// manifest is what we read of a manifest.json.
type manifest struct {
	SourceBucket string         `json:"sourceBucket"`
	FileFormat   string         `json:"fileFormat"`
	FileSchema   string         `json:"fileSchema"`
	Files        []manifestFile `json:"files"`
}

type manifestFile struct {
	Key         string `json:"key"`
	Size        int64  `json:"size"`
	MD5Checksum string `json:"MD5checksum"`
}

// The formats of data files.
const (
	formatCSV     = "CSV"
	formatParquet = "Parquet"
)

func parseManifest(text []byte) (*manifest, error) {
	m := &manifest{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("it is no manifest of an inventory: %w", err)
	}
	if m.SourceBucket == "" || m.FileFormat == "" {
		return nil, errors.New("it is no manifest of an inventory: it has no sourceBucket or no fileFormat")
	}
	switch {
	case strings.EqualFold(m.FileFormat, formatCSV):
		m.FileFormat = formatCSV
		if _, err := m.columns(); err != nil {
			return nil, err
		}
	case strings.EqualFold(m.FileFormat, formatParquet):
		m.FileFormat = formatParquet
	default:
		return nil, fmt.Errorf("its data files are %s, which tafc does not read; have the inventory written as CSV or Parquet", m.FileFormat)
	}
	for i, f := range m.Files {
		if f.Key == "" {
			return nil, fmt.Errorf("file %d has no key", i+1)
		}
	}
	return m, nil
}

// columns are the places of what we read in a row of CSV, -1 when it has none.
type columns struct {
	key, size, etag, latest, deleted int
	n                                int
}

// columns reads the schema of CSV: names with commas between them.
func (m *manifest) columns() (columns, error) {
	var names []string
	for name := range strings.SplitSeq(m.FileSchema, ",") {
		names = append(names, strings.ToLower(strings.TrimSpace(name)))
	}
	c := columns{n: len(names)}
	for _, of := range []struct {
		name string
		to   *int
	}{{"key", &c.key}, {"size", &c.size}, {"etag", &c.etag}, {"islatest", &c.latest}, {"isdeletemarker", &c.deleted}} {
		*of.to = slices.Index(names, of.name)
	}
	if c.key < 0 {
		return c, fmt.Errorf("its fileSchema %q has no Key", m.FileSchema)
	}
	return c, nil
}
