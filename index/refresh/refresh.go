package refresh

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/tafc/tafc/index"
)

// Earlier is an index file that an earlier listing of the same source made.
type Earlier interface {
	index.Source
	// Folders are what that listing found out, by folder; the folder of keys without a slash is empty.
	Folders(ctx context.Context) (map[string]index.Folder, error)
}

// Options say what is listed again. The zero value means everything.
type Options struct {
	Changed []string      // beginnings of the keys that are
	Quiet   time.Duration // folders are not when nothing was put into them for so long before they were listed last; 0: all are
	Now     time.Time
}

// Source is a source whose Scan takes from an earlier index what is not listed again.
type Source struct {
	index.Source
	old     Earlier // nil: there is none, everything is listed
	options Options

	folders map[string]index.Folder
	kept    int // folders that were not listed
}

// New makes a Source. Old is nil when there is no earlier index.
func New(src index.Source, old Earlier, options Options) (*Source, error) {
	_, lister := src.(index.FolderLister)
	if partial := len(options.Changed) > 0 || options.Quiet > 0; partial && !lister {
		return nil, fmt.Errorf("%s can only be listed whole: leave -changed and -recent out, they are for buckets", src)
	}
	return &Source{Source: src, old: old, options: options, folders: map[string]index.Folder{}}, nil
}

// Folders are the folders that Scan found, with their files' newest time and when they were listed. It is empty for a source that
// does not tell when files were stored.
func (s *Source) Folders() map[string]index.Folder { return s.folders }

// Kept is how many folders Scan did not list.
func (s *Source) Kept() int { return s.kept }

// Scan calls fn for every file, in key order.
func (s *Source) Scan(ctx context.Context, fn func(index.File) error) error {
	switch {
	case s.old == nil || len(s.options.Changed) == 0 && s.options.Quiet == 0:
		return s.Source.Scan(ctx, func(f index.File) error { s.note(f); return fn(f) })
	case len(s.options.Changed) > 0:
		return s.changed(ctx, fn)
	}
	return s.recent(ctx, fn)
}

// note takes down when a file was stored.
func (s *Source) note(f index.File) {
	if f.Modified == 0 {
		return
	}
	name := f.Key[:bytes.LastIndexByte(f.Key, '/')+1]
	if known, ok := s.folders[string(name)]; !ok || f.Modified > known.Newest {
		s.folders[string(name)] = index.Folder{Newest: f.Modified, Listed: s.options.Now.Unix()}
	}
}

// changed lists what has one of the beginnings.
func (s *Source) changed(ctx context.Context, fn func(index.File) error) error {
	old, err := s.old.Folders(ctx)
	if err != nil {
		return err
	}
	prefixes := shortest(s.options.Changed)
	var fresh []row
	for _, p := range prefixes {
		err := s.Source.(index.FolderLister).ScanPrefix(ctx, p, func(f index.File) error { fresh = append(fresh, s.take(f)); return nil })
		if err != nil {
			return err
		}
	}
	listed := func(key []byte) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return bytes.HasPrefix(key, []byte(p)) })
	}
	for name, folder := range old {
		if !listed([]byte(name)) {
			s.keep(name, folder)
		}
	}
	return s.merge(ctx, fresh, func(key []byte) bool { return !listed(key) }, fn)
}

// shortest leaves out what begins with another one.
func shortest(prefixes []string) []string {
	var out []string
	for _, p := range slices.Sorted(slices.Values(prefixes)) {
		if len(out) == 0 || !strings.HasPrefix(p, out[len(out)-1]) {
			out = append(out, p)
		}
	}
	return out
}

// recent lists what is not quiet. Folders with folders in them are looked into in any case, so that new ones are found.
func (s *Source) recent(ctx context.Context, fn func(index.File) error) error {
	old, err := s.old.Folders(ctx)
	if err != nil {
		return err
	}
	outer := map[string]bool{}
	for name := range old {
		for up := parent(name); up != "" && !outer[up]; up = parent(up) {
			outer[up] = true
		}
	}
	kept := map[string]bool{}
	visit := func(name string) index.Visit {
		folder, known := old[name]
		switch {
		case outer[name]:
			return index.VisitInside
		case known && folder.Listed-folder.Newest >= int64(s.options.Quiet/time.Second):
			kept[name] = true
			s.keep(name, folder)
			return index.VisitNot
		}
		return index.VisitAll
	}
	var fresh []row
	err = s.Source.(index.FolderLister).ScanFolders(ctx, visit, func(f index.File) error { fresh = append(fresh, s.take(f)); return nil })
	if err != nil {
		return err
	}
	return s.merge(ctx, fresh, func(key []byte) bool { return kept[string(key[:bytes.LastIndexByte(key, '/')+1])] }, fn)
}

func (s *Source) keep(name string, folder index.Folder) {
	s.kept++
	// A folder may be listed in part, when a beginning ends inside of it: then it counts as listed when all of it was.
	if fresh, ok := s.folders[name]; ok {
		folder.Newest = max(folder.Newest, fresh.Newest)
		s.kept--
	}
	s.folders[name] = folder
}

// parent is the folder that a folder lies in, empty for one of the root.
func parent(name string) string {
	return name[:strings.LastIndexByte(strings.TrimSuffix(name, "/"), '/')+1]
}

// row is a file that was listed.
type row struct {
	key, etag []byte
	size      int64
}

func (s *Source) take(f index.File) row {
	s.note(f)
	return row{key: bytes.Clone(f.Key), etag: bytes.Clone(f.ETag), size: f.Size}
}

// merge calls fn for what was listed and for what the earlier index has and keeps, in key order.
func (s *Source) merge(ctx context.Context, fresh []row, keeps func(key []byte) bool, fn func(index.File) error) error {
	sort.Slice(fresh, func(i, j int) bool { return bytes.Compare(fresh[i].key, fresh[j].key) < 0 })
	emit := func(before []byte) error {
		for len(fresh) > 0 && (before == nil || bytes.Compare(fresh[0].key, before) < 0) {
			if err := fn(index.File{Key: fresh[0].key, Size: fresh[0].size, ETag: fresh[0].etag}); err != nil {
				return err
			}
			fresh = fresh[1:]
		}
		return nil
	}
	err := s.old.Scan(ctx, func(f index.File) error {
		if !keeps(f.Key) {
			return nil
		}
		if err := emit(f.Key); err != nil {
			return err
		}
		return fn(f)
	})
	if err != nil {
		return err
	}
	return emit(nil)
}
