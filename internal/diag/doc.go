// Package diag makes diagnostics, the problems of a file that a person has to mend, and shows them.
//
// A diagnostic is an hcl.Diagnostic whose Extra is an *Info: a stable code and related places. A Report is the form that
// programs read; the text that people read is rendered from the same Report, so both always say the same.
package diag
