package imagelock

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/tafc/tafc/internal/atomicfile"
	"github.com/tafc/tafc/internal/lazy"
)

// FormatVersion is the version of the file.
const FormatVersion = "1"

// File is the content of a lock file.
type File struct {
	FormatVersion string           `json:"format_version"`
	Images        map[string]Image `json:"images"` // by the name of the image block
}

// Image is one image as it was built.
type Image struct {
	Name string `json:"name"` // what the image block calls it
	ID   string `json:"id"`   // sha256:… of the image's configuration, which names the image where it was built
	// Digest is NAME@sha256:… of its manifest, by which a registry gives it out; empty until it was pushed.
	Digest string `json:"digest,omitempty"`
}

var (
	idPattern     = lazy.Regexp(`^sha256:[0-9a-f]{64}$`)
	digestPattern = lazy.Regexp(`^[^@\s]+@sha256:[0-9a-f]{64}$`)
)

// Path is the lock file of an analysis: os-count.taf.lock beside os-count.taf.hcl or os-count.taf.json.
func Path(analysis string) string {
	for _, ext := range []string{".hcl", ".json"} {
		if stem, ok := strings.CutSuffix(analysis, ext); ok {
			return stem + ".lock"
		}
	}
	return analysis + ".lock"
}

// Decode reads a lock file. Anything that it should not hold is an error, which begins with what is wrong.
func Decode(text []byte) (*File, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	f := new(File)
	if err := d.Decode(f); err != nil {
		return nil, fmt.Errorf("it is not JSON as tafc image build writes it: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("it is not JSON as tafc image build writes it: something follows its end")
	}
	if f.FormatVersion != FormatVersion {
		return nil, fmt.Errorf("it has the format version %q, and this tafc knows %q", f.FormatVersion, FormatVersion)
	}
	for block, x := range f.Images {
		switch {
		case x.Name == "":
			return nil, fmt.Errorf("its image %q has no name", block)
		case !idPattern().MatchString(x.ID):
			return nil, fmt.Errorf("its image %q has the id %q, which is no sha256:… digest", block, x.ID)
		case x.Digest != "" && !digestPattern().MatchString(x.Digest):
			return nil, fmt.Errorf("its image %q has the digest %q, which is no NAME@sha256:…", block, x.Digest)
		}
	}
	return f, nil
}

// Write makes or replaces a lock file. Equal content gives equal bytes.
func Write(path string, f *File) error {
	f.FormatVersion = FormatVersion
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Clean(path), append(text, '\n'), 0o644)
}
