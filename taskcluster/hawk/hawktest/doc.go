// Package hawktest reads signatures, for tests of those who make them.
package hawktest
