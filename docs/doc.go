// Package docs holds the documentation. Its tests keep what the pages say in step with the code: every example is loaded, every
// command, flag, argument, function, JSON field and diagnostic has its place.
package docs
