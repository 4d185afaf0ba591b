// Package archtest keeps the imports of the project one-way: its test holds the table of which package may import which.
package archtest
