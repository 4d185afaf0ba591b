// Package scope knows the algebra of Taskcluster's scopes.
//
// A scope is a string of printable ASCII. A held scope satisfies a required one that is equal to it, or, when it ends in "*", any that
// starts with what is before the star; a star elsewhere means itself. Roles are not expanded here: what a client holds is asked with
// Auth.CurrentScopes or Auth.ExpandScopes, whose answers are expanded.
package scope
