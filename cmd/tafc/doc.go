// Command tafc plans and runs analyses over large sets of files: see the README and docs/commands.md.
//
// Each verb is a file of its own: its flags, one call of a library, one view. This is the only package that sees all others
// and picks implementations.
package main
