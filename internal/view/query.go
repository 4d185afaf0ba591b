package view

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/tafc/tafc/index"
)

// Query prints a selection as a QueryDocument, file by file. each calls a function for every file of it.
func Query(w io.Writer, filter string, sel *index.Selection, each func(func(index.File) error) error) error {
	const list = "[]\n}\n" // the end of a document without files
	var head strings.Builder
	if err := indented(&head, "", newQueryDocument(filter, sel)); err != nil {
		return err
	}
	if sel.Files.Len() == 0 {
		_, err := io.WriteString(w, head.String())
		return err
	}
	if _, err := io.WriteString(w, strings.TrimSuffix(head.String(), list)); err != nil {
		return err
	}
	var text strings.Builder
	names := sel.Files.Dimensions()
	separator := "[\n    "
	err := each(func(file index.File) error {
		f := FileDocument{Key: string(file.Key), Size: file.Size, ETag: string(file.ETag), Dimensions: map[string]string{}}
		for n, name := range names {
			f.Dimensions[name] = string(file.Dims[n])
		}
		text.Reset()
		text.WriteString(separator)
		separator = ",\n    "
		if err := indented(&text, "    ", f); err != nil {
			return err
		}
		_, err := io.WriteString(w, strings.TrimSuffix(text.String(), "\n"))
		return err
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n  ]\n}\n")
	return err
}

func indented(w io.Writer, prefix string, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, "  ")
	return enc.Encode(v)
}
