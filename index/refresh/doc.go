// Package refresh lists a source again where something may have changed, and takes the rest from the index file that an earlier listing made.
//
// A bucket does not tell whether anything in a folder changed: that takes listing it. There are therefore two ways to list less, and
// for both somebody answers for it:
//
//   - Changed: only keys with certain beginnings are listed. Who asks knows what changed, for example from the notifications of the bucket.
//   - Quiet: folders that nothing was put into for some days before they were listed last are left out. New folders are found,
//     and what was removed with its whole folder is noticed; a file that is put into a quiet folder is not.
//
// Without either, everything is listed.
package refresh
