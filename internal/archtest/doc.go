// Package archtest keeps the imports of the project one-way: its test has the table of which package may import which (imports.txt).
package archtest
