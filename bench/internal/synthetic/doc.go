// Package synthetic is an index of files that do not exist, to measure planning with: any number of keys in the telemetry
// layout, the same for the same number.
package synthetic
