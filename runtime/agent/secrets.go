package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/tafc/tafc/runtime/job"
)

// secrets puts the values of secrets into the environment that user code will get. They are written nowhere.
func (a *agent) secrets(ctx context.Context, list []Secret) error {
	for _, s := range list {
		fields, err := a.secret(ctx, s.Name)
		if err != nil {
			return err
		}
		value, err := pick(fields, s)
		if err != nil {
			return err
		}
		if err := os.Setenv(s.Env, value); err != nil {
			return &Failure{Cause: job.CauseBadSpec, Message: fmt.Sprintf("the secret %s cannot be put into the environment variable %q", s.Name, s.Env)}
		}
		a.j.event("agent.secret", "env", s.Env, "secret", s.Name)
	}
	return nil
}

// secret is the object that the secrets service has under a name.
func (a *agent) secret(ctx context.Context, name string) (map[string]json.RawMessage, error) {
	tc, err := a.services()
	if err != nil {
		return nil, err
	}
	s, err := tc.Secrets.Get(ctx, name)
	if err != nil {
		return nil, refused(ctx, "the secret "+name, err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(s.Secret, &fields); err != nil {
		return nil, &Failure{Cause: job.CauseBadSpec, Message: fmt.Sprintf("the secret %s is no object", name)} // err might hold a part of it
	}
	return fields, nil
}

// pick finds the value for a variable among the fields of a secret: the one with its name, else the one called value, else the only one.
func pick(fields map[string]json.RawMessage, s Secret) (string, error) {
	raw, ok := fields[s.Env]
	if !ok {
		raw, ok = fields["value"]
	}
	if !ok && len(fields) == 1 {
		for _, raw = range fields {
			ok = true
		}
	}
	if !ok {
		return "", &Failure{
			Cause: job.CauseBadSpec, Message: fmt.Sprintf("the secret %s has the fields %q, and it is not clear which of them is the value of %s", s.Name, slices.Sorted(maps.Keys(fields)), s.Env),
			Hint: fmt.Sprintf("give the secret a field with the name %s, or one with the name value", s.Env),
		}
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	return string(raw), nil // a number, or a structure that the code reads as JSON
}
