// Command taf-mapper runs one task: it reads a Spec, works in its folder, and writes report.json there. As taf-mapper task it is a task
// of Taskcluster. Images carry it.
package main
