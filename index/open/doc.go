// Package open makes an index source out of what an analysis writes, such as dir:data or sqlite:index.db.
package open
