// Package docs holds the documentation, and the sections of diagnostics.md for programs that explain a code. Its tests keep what the
// pages say in step with the code: every example is loaded, every command, flag, argument, function, JSON field and diagnostic has its place.
package docs
