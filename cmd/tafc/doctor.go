package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tafc/tafc/engine"
	tc "github.com/tafc/tafc/engine/taskcluster"
	"github.com/tafc/tafc/lang"
	"github.com/tafc/tafc/taskcluster"
)

func (a *app) doctorVerb() *cobra.Command {
	var in inputs
	c := &cobra.Command{
		Use:   "doctor [FILE]",
		Short: "Check this computer, the deployment, and what an analysis needs of both",
		Long: "Looks at the programs that tasks on this computer use, and, when TASKCLUSTER_ROOT_URL or the analysis names a deployment, at that: address, clock, credentials. " +
			"With FILE the analysis is planned, and all that would keep its tasks from Taskcluster is told: scopes, queue, images, limits. Nothing is created or changed.",
		Args: positional(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			d := &doctor{app: a}
			d.tools(c.Context())
			if err := d.analysis(c.Context(), args, &in); err != nil {
				return err
			}
			if d.wrong > 0 {
				return &exit{code: exitFailed}
			}
			return nil
		},
	}
	in.planFlags(c.Flags())
	return c
}

// doctor tells what is right and what is wrong.
type doctor struct {
	app   *app
	wrong int
}

func (d *doctor) good(format string, args ...any) {
	fmt.Fprintf(d.app.streams.Out, "ok       "+format+"\n", args...)
}

func (d *doctor) note(format string, args ...any) {
	fmt.Fprintf(d.app.streams.Out, "note     "+format+"\n", args...)
}

func (d *doctor) bad(format string, args ...any) {
	d.wrong++
	fmt.Fprintf(d.app.streams.Out, "problem  "+format+"\n", args...)
}

// toolPatience bounds the question for a version.
const toolPatience = 10 * time.Second

// tools looks for the programs that tasks use. None is needed by all analyses, so that none is a problem.
func (d *doctor) tools(ctx context.Context) {
	for _, t := range []struct{ name, flag, use string }{
		{"python3", "--version", "code in Python"}, {"node", "--version", "code in JavaScript"},
		{"docker", "--version", "images"}, {"podman", "--version", "images"},
	} {
		path, err := exec.LookPath(t.name)
		if err != nil {
			d.note("%s is not installed: %s cannot be used with it on this computer", t.name, t.use)
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, toolPatience)
		out, err := exec.CommandContext(ctx, path, t.flag).CombinedOutput()
		cancel()
		if err != nil {
			d.note("%s does not say its version: %v", path, err)
			continue
		}
		first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		d.good("%s: %s", t.name, first)
	}
}

// analysis looks at the deployment, for an analysis when there is one.
func (d *doctor) analysis(ctx context.Context, args []string, in *inputs) error {
	found, err := analysesHere()
	if len(args) == 0 && (err != nil || len(found) != 1) {
		return d.deployment(ctx)
	}
	file, err := findFile(args, 0)
	if err != nil {
		return err
	}
	s, p, err := d.app.plan(ctx, file, in)
	if s != nil {
		defer s.close()
	}
	if err != nil {
		return err
	}
	if err := d.app.report(s.diags, s.sources); err != nil {
		return err
	}
	d.good("%s is planned: %d tasks to run, %d results are there", file, p.Summary.Run, p.Summary.Reuse)
	if p.Engine != lang.EngineTaskcluster {
		for _, c := range p.Changes {
			if c.Task == nil {
				continue
			}
			for _, x := range c.Task.Stage.Secrets {
				if _, set := os.LookupEnv(x.Env); x.Name != "" && !set {
					d.bad("%s: the secret %s is not in the environment variable %s", c.Addr.Stage, x.Name, x.Env)
				}
			}
			break
		}
		return nil
	}
	run, err := engine.Lower(runID(time.Now()), p)
	if err != nil {
		return err
	}
	set := s.deploymentSettings()
	client, err := tc.Connect(set, os.Getenv)
	if err != nil {
		d.bad("%v", err)
		return nil
	}
	e, err := tc.New(tc.Options{State: s.state, Client: client, Settings: set})
	if err != nil {
		return err
	}
	return d.tell(e.Doctor(ctx, run, func(what string) { d.good("%s", what) }))
}

// deployment looks at the deployment of the environment alone.
func (d *doctor) deployment(ctx context.Context) error {
	set := &tc.Settings{RootURL: os.Getenv(taskcluster.EnvRootURL), Queue: os.Getenv("TAF_QUEUE")}
	if set.RootURL == "" {
		d.note("no Taskcluster deployment is named: %s is not set", taskcluster.EnvRootURL)
		return nil
	}
	client, err := tc.Connect(set, os.Getenv)
	if err != nil {
		d.bad("%v", err)
		return nil
	}
	p := tc.Preflight{Client: client, Settings: set, Passed: func(what string) { d.good("%s", what) }}
	return d.tell(p.Check(ctx))
}

// tell tells of problems.
func (d *doctor) tell(problems []tc.Problem, err error) error {
	for _, p := range problems {
		text := fmt.Sprintf("%s: %s [%s]", p.Summary, p.Detail, p.Code)
		if p.Warning {
			d.note("%s", text)
		} else {
			d.bad("%s", text)
		}
	}
	return err
}
