// Package redact takes passwords out of URLs, so that what is printed or saved holds none.
package redact
