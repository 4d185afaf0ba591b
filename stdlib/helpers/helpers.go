package helpers

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed python/*.py javascript/*.js javascript/*.mjs
var files embed.FS

// Write puts the helper of a language (python or javascript) into dir and returns the path of the file to run.
func Write(dir, language string) (string, error) {
	var entry string
	switch language {
	case "python":
		entry = "taf_helper.py"
	case "javascript":
		entry = "taf_helper.js"
	default:
		return "", fmt.Errorf("there is no helper for the language %q", language)
	}
	list, err := fs.ReadDir(files, language)
	if err != nil {
		return "", err
	}
	for _, f := range list {
		data, err := files.ReadFile(language + "/" + f.Name())
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, f.Name()), data, 0o644); err != nil {
			return "", fmt.Errorf("write helper: %w", err)
		}
	}
	return filepath.Join(dir, entry), nil
}
