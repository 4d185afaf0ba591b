// Package importer writes what a Filter.json of 2014 says as an analysis in the language.
package importer
