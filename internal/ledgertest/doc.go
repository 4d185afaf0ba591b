// Package ledgertest lets tests assert that nothing is lost: that what tasks report of files and records adds up.
package ledgertest
