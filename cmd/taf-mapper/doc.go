// Command taf-mapper runs one task: it reads a Spec, works in its folder, and writes report.json there. Images carry it.
package main
