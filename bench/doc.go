// Command bench measures tafc against plain tools doing the same, in alternation on the same computer, and prints medians and
// ratios as a Markdown table. README.md tells how to run it.
package main
