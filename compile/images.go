package compile

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/imagelock"
	"github.com/tafc/tafc/lang"
)

// Image is the container image of a stage.
type Image struct {
	Ref string `json:"ref"` // as the analysis names it
	// ID is sha256:… of what tafc image build made of it, Digest REPOSITORY@sha256:… by which a registry gives that out. Both are from the
	// lock file, and empty when it does not tell.
	ID     string `json:"id,omitempty"`
	Digest string `json:"digest,omitempty"`
}

// component is what a stage's results depend on: the image by its content where that is known. That it was pushed changes nothing.
func (x *Image) component() string {
	if x.ID == "" {
		return x.Ref
	}
	return x.Ref + "@" + x.ID
}

// images are the images of an analysis with what the lock file knows of them, by name of the block.
func (r *resolver) images() map[string]*Image {
	if len(r.a.Images) == 0 {
		return nil
	}
	locked := r.lock()
	out := map[string]*Image{}
	for _, x := range r.a.Images {
		img := &Image{Ref: x.Ref}
		if was, ok := locked.Images[x.Name]; ok && was.Name == x.Ref && x.Build != nil {
			img.ID, img.Digest = was.ID, was.Digest
		}
		out[x.Name] = img
	}
	return out
}

// lock reads the lock file of the analysis. One that is not there is empty.
func (r *resolver) lock() *imagelock.File {
	name := imagelock.Path(filepath.Base(r.a.Filename))
	text, err := fs.ReadFile(r.w.FS, name)
	if errors.Is(err, fs.ErrNotExist) {
		return new(imagelock.File)
	}
	var f *imagelock.File
	if err == nil {
		f, err = imagelock.Decode(text)
	}
	if err != nil {
		r.fail("compile/image-lock", "Lock file of images cannot be read",
			fmt.Sprintf("%s says which images were built, and it cannot be read: %v. Remove it and build the images again: tafc image build.", r.name(name), err), r.a.Images[0].DeclRange)
		return new(imagelock.File)
	}
	return f
}

// CheckImages finds what is wrong with what images are built from.
func CheckImages(a *lang.Analysis, w World) hcl.Diagnostics {
	r := newResolver(a, w)
	r.builds()
	return r.diags
}

// builds makes sure that what images are built from is there.
func (r *resolver) builds() {
	for _, x := range r.a.Images {
		b := x.Build
		if b == nil || b.Context == "" {
			continue // lang has said so
		}
		context := filepath.ToSlash(filepath.Clean(b.Context))
		if !fs.ValidPath(context) {
			continue // outside of the folder of the analysis; the builder looks
		}
		if info, err := fs.Stat(r.w.FS, context); err != nil || !info.IsDir() {
			r.add(diag.Error("compile/image-build", "Image cannot be built",
				fmt.Sprintf("There is no folder %q, which the image %q is built from. Paths are relative to the folder of the analysis.", b.Context, x.Name), b.Range("context")))
			continue
		}
		file := path.Join(context, filepath.ToSlash(b.Dockerfile))
		if info, err := fs.Stat(r.w.FS, file); fs.ValidPath(file) && (err != nil || info.IsDir()) {
			r.add(diag.Error("compile/image-build", "Image cannot be built",
				fmt.Sprintf("The folder %q has no file %q, which says how the image %q is built.%s", b.Context, b.Dockerfile, x.Name, diag.DidYouMean(b.Dockerfile, r.files(context))), b.Range("dockerfile")))
		}
	}
}

func (r *resolver) add(d *hcl.Diagnostic) { r.diags = append(r.diags, d) }

// files are the names of the files in a folder.
func (r *resolver) files(folder string) []string {
	entries, _ := fs.ReadDir(r.w.FS, folder) // without them there is nothing to suggest
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}
