package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/container"
	"github.com/tafc/tafc/internal/diag"
	"github.com/tafc/tafc/internal/imagelock"
	"github.com/tafc/tafc/internal/view"
	"github.com/tafc/tafc/lang"
)

func (a *app) imageVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "image",
		Short: "Build the container images of an analysis",
		Args:  cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return usageError("there is no command \"image %s\".%s See: tafc image -help", args[0], diag.DidYouMean(args[0], []string{"build"}))
		},
	}
	c.AddCommand(a.imageBuildVerb())
	return c
}

// imageBuild is one tafc image build.
type imageBuild struct {
	only    []string
	tool    string
	push    bool
	noCache bool
	asJSON  bool
}

func (a *app) imageBuildVerb() *cobra.Command {
	var in inputs
	var b imageBuild
	c := &cobra.Command{
		Use:   "build [FILE]",
		Short: "Build the images whose blocks say how, and record what was built",
		Long: "Every image block with a build block is built with Docker or Podman and gets its name. What was built is recorded in NAME.taf.lock beside the analysis, " +
			"which is to be committed with it: plans depend on it, so tasks run again when an image is another one.",
		Example: "  tafc image build\n  tafc image build -image python -push os-count.taf.hcl",
		Args:    positional(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if b.tool != "" && !slices.Contains(container.Tools(), b.tool) {
				return usageError("-tool %s is not known: docker or podman.%s", b.tool, diag.DidYouMean(b.tool, container.Tools()))
			}
			file, err := findFile(args, 0)
			if err != nil {
				return err
			}
			s, err := a.load(file, &in)
			if err != nil {
				return err
			}
			if s.diags.HasErrors() {
				return a.report(s.diags, s.sources)
			}
			return s.buildImages(c.Context(), b)
		},
	}
	in.varFlags(c.Flags())
	c.Flags().Var((*repeated)(&b.only), "image", "only the image of this block (may be repeated)")
	c.Flags().BoolVar(&b.push, "push", false, "send what was built to the registry that its name says")
	c.Flags().StringVar(&b.tool, "tool", "", "docker or podman (default: the first of both that works)")
	c.Flags().BoolVar(&b.noCache, "no-cache", false, "carry out every step again")
	c.Flags().BoolVar(&b.asJSON, "json", false, "print what was built as JSON (docs/json.md)")
	return c
}

// buildImages builds, records and shows images. What was built before one failed is recorded.
func (s *session) buildImages(ctx context.Context, b imageBuild) error {
	images, err := imagesToBuild(s.analysis, b.only)
	if err != nil {
		return err
	}
	s.diags = append(s.diags, compile.CheckImages(s.analysis, s.world())...)
	if err := s.app.report(s.diags, s.sources); err != nil {
		return err
	}
	tool, err := container.Open(ctx, b.tool)
	if err != nil {
		return fmt.Errorf("%w\nInstall Docker or Podman and start it; images/README.md has a virtual machine with one", err)
	}
	path := imagelock.Path(s.analysis.Filename)
	before, err := readLock(path)
	if err != nil {
		return err
	}
	lock := &imagelock.File{Images: maps.Clone(before.Images)}
	if lock.Images == nil {
		lock.Images = map[string]imagelock.Image{}
	}
	maps.DeleteFunc(lock.Images, func(name string, _ imagelock.Image) bool {
		return !slices.ContainsFunc(s.analysis.Images, func(x *lang.Image) bool { return x.Name == name && x.Build != nil })
	})
	doc := &view.ImagesDocument{FormatVersion: "1", Tool: tool.Name, Lock: path, Images: []view.BuiltImage{}}
	for _, x := range images {
		built, failed := s.buildImage(ctx, tool, x, b)
		was := before.Images[x.Name]
		if built.Digest == "" && was.Name == built.Name && was.ID == built.ID {
			built.Digest = was.Digest // it was pushed earlier
		}
		if built.ID != "" {
			lock.Images[x.Name] = built
		}
		if failed != nil {
			return errors.Join(failed, writeLock(path, before, lock))
		}
		doc.Images = append(doc.Images, view.BuiltImage{
			Image: x.Name, Name: built.Name, ID: built.ID, Digest: built.Digest, Changed: was.Name != built.Name || was.ID != built.ID,
		})
	}
	if err := writeLock(path, before, lock); err != nil {
		return err
	}
	if b.asJSON {
		return printJSON(s.app.streams.Out, doc)
	}
	view.Images(s.app.streams.Out, doc, s.app.streams.OutStyle())
	return nil
}

// imagesToBuild are the images that can be built, or those of them that are named.
func imagesToBuild(a *lang.Analysis, only []string) ([]*lang.Image, error) {
	var names []string
	var images []*lang.Image
	for _, x := range a.Images {
		if x.Build == nil {
			continue
		}
		names = append(names, x.Name)
		if len(only) == 0 || slices.Contains(only, x.Name) {
			images = append(images, x)
		}
	}
	for _, name := range only {
		switch {
		case slices.Contains(names, name):
		case slices.ContainsFunc(a.Images, func(x *lang.Image) bool { return x.Name == name }):
			return nil, usageError("-image %s: its block does not say how it is built. Add build { context = \"FOLDER\" }", name)
		default:
			return nil, usageError("-image: there is no image %q.%s Images that can be built: %s", name, diag.DidYouMean(name, names), cmp.Or(strings.Join(names, ", "), "none"))
		}
	}
	if len(images) == 0 {
		return nil, fmt.Errorf("%s has no image that can be built: add build { context = \"FOLDER\" } to an image block", a.Filename)
	}
	return images, nil
}

// buildImage builds an image and pushes it where that is asked for. With an error it returns what was built when that is not what failed.
func (s *session) buildImage(ctx context.Context, tool *container.Tool, x *lang.Image, b imageBuild) (imagelock.Image, error) {
	show := s.app.streams.Err
	folder := within(s.analysis.Dir, x.Build.Context)
	fmt.Fprintf(show, "image.%s: %s build of %s\n", x.Name, tool.Name, folder)
	img, err := tool.Build(ctx, container.Build{
		Name: x.Ref, Context: folder, File: filepath.Join(folder, x.Build.Dockerfile),
		Args: x.Build.Args, Target: x.Build.Target, NoCache: b.noCache,
	}, show)
	if err != nil {
		return imagelock.Image{}, fmt.Errorf("image %q was not built: %w", x.Name, err)
	}
	built := imagelock.Image{Name: x.Ref, ID: img.ID}
	if b.push {
		if built.Digest, err = tool.Push(ctx, x.Ref, show); err != nil {
			return built, fmt.Errorf("image %q was built, but not pushed: %w. The name of an image says its registry, such as registry.example.org/team/%s", x.Name, err, container.Repository(x.Ref))
		}
	}
	return built, nil
}

// readLock reads a lock file; one that is not there is empty.
func readLock(path string) (*imagelock.File, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return new(imagelock.File), nil
	}
	if err != nil {
		return nil, err
	}
	f, err := imagelock.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w. Remove it to build as if nothing had been built", path, err)
	}
	return f, nil
}

// writeLock writes a lock file when it says something new.
func writeLock(path string, before, now *imagelock.File) error {
	if maps.Equal(before.Images, now.Images) {
		return nil
	}
	return imagelock.Write(path, now)
}
