// Package usercode runs the user's map, combine and reduce functions in a process of their own and talks to it.
//
// Two kinds of [Program] exist. A helper (package stdlib/helpers) loads a Python or JavaScript module and calls its functions;
// the protocol between it and this package is described in docs/helper-protocol.md. A streaming program reads records
// from its standard input and prints lines of key TAB value.
//
// Text that is not UTF-8 is not lost on the way through JSON: each byte that is no part of valid UTF-8 becomes the lone
// surrogate \udc80 … \udcff in a JSON string, and that becomes the byte again where a string is written as text. It is what Python calls
// surrogateescape.
package usercode
