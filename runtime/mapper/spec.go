package mapper

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tafc/tafc/runtime/extract"
	"github.com/tafc/tafc/runtime/job"
	"github.com/tafc/tafc/runtime/operation"
)

// DecodeSpec reads a Spec and checks it. Fields that this runtime does not know are errors: whoever wrote them expects them to
// be obeyed.
func DecodeSpec(data []byte) (*job.Spec, error) {
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return nil, fmt.Errorf("the spec is not JSON: %w", err)
	}
	if version.Version != job.Version {
		return nil, fmt.Errorf("the spec has version %d, this runtime knows version %d: use the tafc that made it", version.Version, job.Version)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	spec := new(job.Spec)
	if err := d.Decode(spec); err != nil {
		return nil, fmt.Errorf("the spec makes no sense: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("the spec makes no sense: something follows it")
	}
	return spec, check(spec)
}

// check says what makes no sense in a spec.
func check(s *job.Spec) error {
	overFiles := s.Role == job.RoleMap && len(s.Upstream) == 0
	code := s.Code != nil || len(s.Command) > 0
	ready := s.Operation != nil
	switch {
	case s.Version != job.Version:
		return fmt.Errorf("the spec has version %d, this runtime knows version %d", s.Version, job.Version)
	case s.Role != job.RoleMap && s.Role != job.RoleCombine && s.Role != job.RoleGather && s.Role != job.RoleReduce:
		return fmt.Errorf("the spec has the unknown role %q", s.Role)
	case s.Task == "":
		return errors.New("the spec names no task")
	case s.Partitions < 1:
		return fmt.Errorf("the spec has %d partitions, there must be at least 1", s.Partitions)
	case len(s.Files) > 0 && len(s.Upstream) > 0:
		return errors.New("the spec has both files and results of other tasks as its input")
	case s.Mend != nil && (s.Role != job.RoleMap || s.Mend.Cause != job.CauseDone || s.Mend.Quarantine == nil):
		return errors.New("the spec mends something else than a result of a map with a quarantine")
	case s.Role != job.RoleMap && len(s.Files) > 0:
		return fmt.Errorf("the spec gives files to a %s", s.Role)
	case s.Role == job.RoleGather && (code || ready):
		return errors.New("the spec gives code to a gather")
	case code && ready:
		return errors.New("the spec gives both code and an operation")
	case s.Role == job.RoleMap && len(s.Upstream) > 0 && (ready || len(s.Where) > 0):
		return errors.New("the spec has an operation or a condition on records, but reads pairs")
	case s.Role != job.RoleGather && !code && !ready:
		return fmt.Errorf("the spec gives no code to a %s", s.Role)
	case s.Code != nil && len(s.Command) > 0:
		return errors.New("the spec gives both code and a command")
	case overFiles && len(s.Files) > 0 && s.Format == "":
		return errors.New("the spec names no format for its files")
	case s.Limits.Memory < 0 || s.Limits.MaxRunTime < 0 || s.Limits.Record < 0 || s.Limits.RecordTime < 0 || s.Download.Attempts < 0:
		return errors.New("the spec has a negative limit")
	}
	if ready {
		if err := operation.Check(s.Operation); err != nil {
			return fmt.Errorf("the spec has an operation that makes no sense: %w", err)
		}
	}
	if _, err := extract.NewWhere(s.Where); err != nil {
		return fmt.Errorf("the spec has a condition that makes no sense: %w", err)
	}
	for _, l := range []job.Limit{s.Tolerate.BadFiles, s.Tolerate.BadRecords} {
		if l.Count < 0 || !(l.Share >= 0 && l.Share <= 1) {
			return errors.New("the spec has a tolerance that is negative or more than everything")
		}
	}
	for _, u := range s.Upstream {
		if u.Missing == nil && u.Form != s.Upstream[0].Form && s.Upstream[0].Missing == nil && s.Role != job.RoleMap {
			return fmt.Errorf("the spec merges results of two forms: %s is %s, %s is %s", s.Upstream[0].Task, s.Upstream[0].Form, u.Task, u.Form)
		}
	}
	return nil
}

// streaming tells whether the user's code is a program that reads plain lines.
func streaming(s *job.Spec) bool {
	return len(s.Command) > 0 || s.Code != nil && (s.Code.Contract == "streaming" || s.Code.Language == "program")
}

// inputForm is the form of the pairs that a task reads.
func inputForm(s *job.Spec) job.Form {
	for _, u := range s.Upstream {
		if u.Missing == nil && u.Form != "" {
			return u.Form
		}
	}
	return job.FormPairs
}
