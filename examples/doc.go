// Package examples holds analyses to read, run and change. Each NAME.taf.hcl has its code in the folder of the same name; the
// tests of the package run them and compare the results with those that testdata/expected.py computes without tafc.
package examples
