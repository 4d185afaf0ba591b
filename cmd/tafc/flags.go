package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tafc/tafc/internal/diag"
)

// flagError says in our words what is wrong with a flag.
func flagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1:
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		name := unknown.GetSpecifiedName()
		err = fmt.Errorf("unknown flag -%s.%s", name, diag.DidYouMean(name, names))
	case errors.As(err, &invalid):
		takes := map[string]string{"bool": "true or false", "int": "a whole number", "uint": "a whole number that is not negative"}
		if want := takes[invalid.GetFlag().Value.Type()]; want != "" {
			err = fmt.Errorf("-%s takes %s, not %q", invalid.GetFlag().Name, want, invalid.GetValue())
		}
	}
	return usageError("%w\nSee: %s -help", err, c.CommandPath())
}
