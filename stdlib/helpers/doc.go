// Package helpers carries the programs that load user code in Python and in JavaScript and call its functions. They speak the
// protocol of docs/helper-protocol.md with package runtime/usercode. Both need nothing but the language's own library.
package helpers
