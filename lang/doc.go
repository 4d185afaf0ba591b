// Package lang reads the language of tafc: a *.taf.hcl file becomes an Analysis, with a source range for every value.
//
// Load parses the file, compares its shape with the table Schema, evaluates what the blocks ask for, and decodes it. Evaluation is
// driven by demand: an expression is evaluated when somebody needs it, after the variables and locals that it refers to,
// so the order in the file does not matter. References to blocks (filter.nightly, map.by_os) are values of their own type.
//
// Every problem of a file is reported at once. What depends on a broken value says nothing more about it.
// The package does no I/O: functions see the world through Options.
package lang
