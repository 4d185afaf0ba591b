// Package sarif writes diagnostics as SARIF 2.1.0, the format that code scanning services read.
package sarif
