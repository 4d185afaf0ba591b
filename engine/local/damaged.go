package local

import "github.com/tafc/tafc/runtime/job"

// dropDamaged removes the result that an attempt could not read from the store, when it is damaged indeed: then the next plan
// finds it missing and makes it again. The failure says so.
func (r *runner) dropDamaged(ups []job.Upstream, f *job.Failure) {
	if f == nil {
		return
	}
	for _, u := range ups {
		for _, p := range u.Parts {
			if p.Path == f.File && r.db.DropDamaged(p) {
				f.Hint = "it was changed after " + u.Task + " had written it, and is removed: the next apply makes it again"
				return
			}
		}
	}
}
