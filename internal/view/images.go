package view

import (
	"fmt"
	"io"
)

// ImagesDocument is what tafc image build -json prints.
type ImagesDocument struct {
	FormatVersion string       `json:"format_version"`
	Tool          string       `json:"tool"`
	Lock          string       `json:"lock"`
	Images        []BuiltImage `json:"images"`
}

// BuiltImage is an image that was built.
type BuiltImage struct {
	Image   string `json:"image"`
	Name    string `json:"name"`
	ID      string `json:"id"`
	Digest  string `json:"digest,omitempty"`
	Changed bool   `json:"changed"`
}

// Images prints what was built.
func Images(w io.Writer, doc *ImagesDocument, style Style) {
	changed := false
	for _, x := range doc.Images {
		word := "as it was"
		if x.Changed {
			word, changed = style.Green("new"), true
		}
		fmt.Fprintf(w, "image.%s  %s  %s  %s\n", x.Image, x.Name, x.ID, word)
		if x.Digest != "" {
			fmt.Fprintf(w, "  in its registry: %s\n", x.Digest)
		}
	}
	if changed {
		fmt.Fprintf(w, "\nRecorded in %s: commit it with the analysis.\n", doc.Lock)
	}
}
