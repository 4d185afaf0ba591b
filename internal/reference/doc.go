// Package reference writes docs/reference: what the language has, from the tables that the language itself reads.
package reference
