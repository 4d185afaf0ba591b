package inventory

import "bytes"

// ParseManifest tells what is wrong with a manifest.
func ParseManifest(text []byte) error {
	_, err := parseManifest(text)
	return err
}

// ReadCSV tells what is wrong with a data file.
func ReadCSV(data []byte) error {
	return readCSV(bytes.NewReader(data), columns{key: 1, size: 5, etag: 7, latest: 3, deleted: 4, n: 9}, &list{})
}
