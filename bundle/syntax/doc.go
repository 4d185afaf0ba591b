// Package syntax asks the interpreters of this computer whether code parses. Nothing of the code runs, and nothing is written beside it.
package syntax
