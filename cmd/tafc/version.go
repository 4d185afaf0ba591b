package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the release build; other builds say what Go knows of them.
var version = ""

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

func versionLine() string {
	return fmt.Sprintf("tafc %s (%s, %s/%s)", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func (a *app) versionVerb() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  positional(0, 0),
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return printJSON(a.streams.Out, map[string]string{
					"format_version": "1", "version": versionText(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
				})
			}
			_, err := fmt.Fprintln(a.streams.Out, versionLine())
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return c
}

// programIdentity changes with each build of the program.
func programIdentity() string {
	text := versionText()
	path, err := os.Executable()
	if err != nil {
		return text
	}
	info, err := os.Stat(path)
	if err != nil {
		return text
	}
	return fmt.Sprintf("%s %d %d", text, info.Size(), info.ModTime().UnixNano())
}
