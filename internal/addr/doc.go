// Package addr holds the addresses of stages and tasks: small comparable values that print as the language writes them.
package addr
