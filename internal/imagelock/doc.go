// Package imagelock reads and writes NAME.taf.lock, the file beside an analysis that says which images it was built with: what tafc
// image build made of each image block, by digest. It is committed with the analysis, so that everybody's plans are about the same images.
package imagelock
