package main

// repeated is the values of a flag that may be given several times. The one of pflag writes its default as a line of CSV, which is
// felt in how long every command takes to start.
type repeated []string

func (r *repeated) String() string { return "[]" }

func (r *repeated) Set(value string) error {
	*r = append(*r, value)
	return nil
}

func (r *repeated) Type() string { return "stringArray" }
