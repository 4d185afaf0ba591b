// Package view is the only place that prints for people: plans, progress, results of commands. What programs read (JSON) is
// made by the packages whose data it is.
package view
