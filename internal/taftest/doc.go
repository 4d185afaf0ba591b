// Package taftest runs whole programs of testdata/pipeline: one archive holds an analysis and its world, and what each phase
// makes of it.
//
// The files of an archive are the analysis (analysis.taf.hcl), its index (index: lines of key, size and etag), its code, and
// what the phases print: out/diagnostics, out/graph, out/plan, out/plan.json. Files below before/ replace those of the same
// name in an earlier version of the program: that one counts as applied when the plan is made. TAFC_UPDATE=1 rewrites the
// outputs that an archive has.
package taftest
