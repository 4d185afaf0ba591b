// Package inventory is the index source inventory:PATH: a list of a bucket that S3 Inventory has written.
//
// PATH is a manifest.json, or a folder that has one, or a folder of a configuration, with one folder for each date: then the last one counts. It
// is a path of this computer or an s3:// URL. The data files, CSV with gzip or Parquet, are found by their keys in the destination bucket: in a copy on this
// computer beside or above the manifest. The checksums of the manifest and of each data file are verified.
//
// Versions that are not the latest, delete markers and empty objects whose names end with a slash are no files. The files are held in memory, because
// an inventory is in no order. The revision is a digest of the manifest, which has the checksum of all data.
package inventory
