// Package require lets tests that need a real tool or server skip on a machine without it, and fail where CI demands it.
package require
