// Package document reads the ancestors' Filter.json.
//
// The same text meant different things to the ancestors' programs. This package follows their index service, which the analyses used:
// conditions go by field_name, in any order, for any subset of the dimensions; every value is sanitised (see package index), those
// of the keys are not; an empty min or max counts as absent.
//
// A form that the ancestors took silently for "everything" or "nothing" is an error here, with its place and what to write
// instead, because nobody means it. A form that works but differs from what job.py did, or probably is not what was meant,
// is a warning. Each has a code:
//
//	filter/syntax                the text is no JSON, or not UTF-8
//	filter/shape                 something has another type than the format says
//	filter/duplicate-key         an object has a key twice
//	filter/missing-dimensions    there is no "dimensions"
//	filter/missing-field-name    an entry does not say which dimension it is about
//	filter/missing-values        an entry has no "allowed_values"
//	filter/duplicate-dimension   two entries are about the same dimension
//	filter/unknown-dimension     the index has no such dimension
//	filter/empty-list            [] matched nothing
//	filter/star-in-list          ["*"] matched only the value _
//	filter/list-element          an element of a list is not a string
//	filter/null-value            null matched nothing
//	filter/boolean-value         true and false matched nothing
//	filter/number-value          a number matched nothing
//	filter/empty-range           a range without bounds matched everything
//	filter/unknown-range-key     "minimum" and the like were ignored, so that everything matched
//	filter/numeric-bound         a number as min passed everything, as max nothing
//	filter/bound                 a bound is neither string nor number
//	filter/inverted-range        min is greater than max, as strings
//
//	filter/version               warning: the version is not an integer
//	filter/no-conditions         warning: the list of dimensions is empty, all files match
//	filter/ignored-key           warning: a key that nothing reads
//	filter/order                 warning: job.py went by position, and this order is another than that of the index
//	filter/scalar-sanitised      warning: job.py compared a bare string as it is
//	filter/bound-sanitised       warning: job.py compared bounds as they are
//	filter/empty-bound           warning: "" as min or max is no bound
//	filter/glob-literal          warning: * and ? in a text are no wildcards
//	filter/other-spelling        warning: the buckets hold OTHER and other
package document
