package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/tafc/tafc/compile"
	"github.com/tafc/tafc/internal/addr"
	"github.com/tafc/tafc/plan"
)

// secrets are the values that the stages of a plan which are going to run get by their environment alone. All that are missing are
// reported together.
func (s *session) secrets(p *plan.Plan) (map[addr.Stage]map[string]string, error) {
	out := map[addr.Stage]map[string]string{}
	var missing []error
	for _, c := range p.Changes {
		if c.Action != plan.Run || c.Idle || out[c.Addr.Stage] != nil {
			continue
		}
		stage := c.Task.Stage
		out[stage.Addr] = map[string]string{}
		for _, x := range stage.Secrets {
			value, err := s.secret(stage, x)
			if err != nil {
				missing = append(missing, fmt.Errorf("%s: %w", stage.Addr, err))
			}
			out[stage.Addr][x.Env] = value
		}
	}
	return out, errors.Join(missing...)
}

func (s *session) secret(stage *compile.Stage, x compile.Secret) (string, error) {
	if x.Digest != "" && s.analysis != nil {
		for _, own := range s.analysis.Stages {
			if own.Addr() == stage.Addr {
				return own.Sensitive[x.Env], nil
			}
		}
	}
	value, set := os.LookupEnv(x.Env)
	switch {
	case x.Digest == "" && !set:
		return "", fmt.Errorf("the secret %q is not there. The local engine takes it from an environment variable of tafc: set %s", x.Name, x.Env)
	case x.Digest != "" && !set:
		return "", fmt.Errorf("the value of %s is sensitive, so the saved plan does not hold it. Set the environment variable %s, or apply the analysis instead", x.Env, x.Env)
	case x.Digest != "" && compile.SensitiveDigest(x.Env, value) != x.Digest:
		return "", fmt.Errorf("the environment variable %s has another value than the plan was made with. Set that value, or make the plan again", x.Env)
	}
	return value, nil
}

// redacted is a command line without the values of sensitive variables.
func (s *session) redacted(args []string) []string {
	if s.analysis == nil {
		return args
	}
	sensitive := map[string]bool{}
	for _, v := range s.analysis.Variables {
		sensitive[v.Name] = v.Sensitive
	}
	hide := func(prefix, setting string) string {
		if name, _, ok := strings.Cut(setting, "="); ok && sensitive[name] {
			return prefix + name + "=(sensitive)"
		}
		return prefix + setting
	}
	out := make([]string, len(args))
	for i, arg := range args {
		flag, value, joined := strings.Cut(arg, "=")
		switch isVar := strings.TrimLeft(flag, "-") == "var" && flag != "var"; {
		case isVar && joined:
			out[i] = hide(flag+"=", value)
		case i > 0 && (args[i-1] == "-var" || args[i-1] == "--var"):
			out[i] = hide("", arg)
		default:
			out[i] = arg
		}
	}
	return out
}
