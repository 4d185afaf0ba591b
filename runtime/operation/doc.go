// Package operation carries out the ready-made operations of the language in the place of the user's code: count_by, sum, histogram,
// distinct, top, quantiles, select. A map makes a partial result for each group of records, combine and reduce put those together.
//
//	operation   key of a pair                        partial result        result
//	count_by    the fields                           count                 count
//	top         by, then the field                   count                 count, of the N most frequent only
//	histogram   by, then the lower bound             count                 count
//	sum         by, else the field's name            exact decimal         the same; of several fields an object
//	distinct    by, else the field's name            registers (base64)    estimate
//	quantiles   by, else the field's name            centroids             object: quantile to value
//	select      the first field                      the other fields      –
//
// A key of several parts is an array, of one part that part. What a record lacks is null in a group, and is not measured. All results but
// those of quantiles are the same however the records are divided among tasks: sums are exact, and registers merge to what one
// task would have had.
package operation
