// Package s3 is the index source s3://BUCKET/PREFIX: the objects of a bucket, listed live.
//
// A listing is split into segments of the key space, which workers list at the same time. It begins with one; a worker without work splits
// one that turned out to be long: at the folders that a listing with a delimiter shows, else between two keys. So a small
// bucket costs one request, and a large one is listed by all workers, whatever its keys look like. Scan yields keys in order all the same.
//
// ScanMatching walks the folders of the layout as far as the filter has conditions on them. A folder that the filter refuses is not
// listed; below the last condition everything is listed as in Scan. docs/decisions/0021-s3.md has the reasons and figures.
package s3
