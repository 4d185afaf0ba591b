package operation

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/axiomhq/hyperloglog"
	"github.com/influxdata/tdigest"

	"github.com/tafc/tafc/runtime/extract"
	"github.com/tafc/tafc/runtime/job"
)

// aggregate is what is known of one group.
type aggregate interface {
	// add takes the values of one record, nil where it has none. After an error it is as before.
	add(values [][]byte) error
	merge(partial []byte) error
	appendPartial(dst []byte) []byte
	appendResult(dst []byte) []byte
	size() int // bytes, about
}

// newAggregate returns an empty one, nil for an operation that has none.
func newAggregate(o *job.Operation) aggregate {
	switch o.Kind {
	case job.OpCountBy, job.OpTop, job.OpHistogram:
		return new(count)
	case job.OpSum:
		return &sums{o: o, sums: make([]sum, len(o.Fields))}
	case job.OpDistinct:
		return &distinct{o: o, sketch: hyperloglog.NewNoSparse()}
	case job.OpQuantiles:
		return &quantiles{o: o, digest: tdigest.NewWithCompression(compression)}
	}
	return nil
}

type count int64

func (c *count) add([][]byte) error { *c++; return nil }

func (c *count) merge(partial []byte) error {
	n, err := strconv.ParseInt(string(partial), 10, 64)
	*c += count(n)
	return err
}

func (c *count) appendPartial(dst []byte) []byte { return strconv.AppendInt(dst, int64(*c), 10) }
func (c *count) appendResult(dst []byte) []byte  { return c.appendPartial(dst) }
func (c *count) size() int                       { return 8 }

// sums are of several fields: a number when there is one, else an object.
type sums struct {
	o    *job.Operation
	sums []sum
}

func (s *sums) add(values [][]byte) error {
	numbers := make([]string, len(values))
	for i, v := range values {
		var err error
		if numbers[i], err = number(s.o, i, v); err != nil {
			return err
		}
	}
	before := append([]sum(nil), s.sums...)
	for i, n := range numbers {
		if n == "" {
			continue
		}
		if err := s.sums[i].add(n); err != nil {
			s.sums = before
			return err
		}
	}
	return nil
}

func (s *sums) merge(partial []byte) error {
	if len(s.sums) == 1 {
		return s.sums[0].add(string(partial))
	}
	var parts map[string]json.Number
	if err := json.Unmarshal(partial, &parts); err != nil {
		return err
	}
	for i, f := range s.o.Fields {
		if err := s.sums[i].add(parts[f].String()); err != nil {
			return err
		}
	}
	return nil
}

func (s *sums) appendPartial(dst []byte) []byte {
	if len(s.sums) == 1 {
		return s.sums[0].append(dst)
	}
	dst = append(dst, '{')
	for i := range s.sums {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = s.sums[i].append(append(extract.AppendString(dst, []byte(s.o.Fields[i])), ':'))
	}
	return append(dst, '}')
}

func (s *sums) appendResult(dst []byte) []byte { return s.appendPartial(dst) }

func (s *sums) size() (n int) {
	for i := range s.sums {
		n += s.sums[i].size()
	}
	return n
}

// distinct estimates how many different values there are.
type distinct struct {
	o      *job.Operation
	sketch *hyperloglog.Sketch
}

func (d *distinct) add(values [][]byte) error {
	if v := values[0]; v != nil && string(v) != "null" {
		canonical, err := canonical(v)
		if err != nil {
			return err
		}
		d.sketch.Insert(canonical)
	}
	return nil
}

func (d *distinct) merge(partial []byte) error {
	var registers []byte
	if err := json.Unmarshal(partial, &registers); err != nil {
		return err
	}
	other := new(hyperloglog.Sketch)
	if err := other.UnmarshalBinary(registers); err != nil {
		return err
	}
	return d.sketch.Merge(other)
}

func (d *distinct) appendPartial(dst []byte) []byte {
	registers, err := d.sketch.MarshalBinary()
	if err != nil {
		panic(err) // it writes into memory
	}
	dst = base64.StdEncoding.AppendEncode(append(dst, '"'), registers)
	return append(dst, '"')
}

func (d *distinct) appendResult(dst []byte) []byte {
	return strconv.AppendUint(dst, d.sketch.Estimate(), 10)
}

func (d *distinct) size() int { return 1<<14 + 100 }

// compression is how many centroids a digest has at most, about: 200 estimate the median of a million values to about 0.1 %.
const compression = 200

// quantiles estimates quantiles.
type quantiles struct {
	o      *job.Operation
	digest *tdigest.TDigest
}

func (q *quantiles) add(values [][]byte) error {
	text, err := number(q.o, 0, values[0])
	if text == "" || err != nil {
		return err
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("the number %.40s is too large", text)
	}
	q.digest.Add(n, 1)
	return nil
}

func (q *quantiles) merge(partial []byte) error {
	var centroids [][2]float64
	if err := json.Unmarshal(partial, &centroids); err != nil {
		return err
	}
	for _, c := range centroids {
		q.digest.Add(c[0], c[1])
	}
	return nil
}

func (q *quantiles) appendPartial(dst []byte) []byte {
	dst = append(dst, '[')
	for i, c := range q.digest.Centroids() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendFloat(append(dst, '['), c.Mean)
		dst = append(appendFloat(append(dst, ','), c.Weight), ']')
	}
	return append(dst, ']')
}

func (q *quantiles) appendResult(dst []byte) []byte {
	if q.digest.Count() == 0 {
		return append(dst, "null"...)
	}
	dst = append(dst, '{')
	for i, at := range q.o.At {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendFloat(append(dst, '"'), at), `":`...)
		dst = appendFloat(dst, q.digest.Quantile(at))
	}
	return append(dst, '}')
}

func (q *quantiles) size() int { return 64 * compression }

func appendFloat(dst []byte, f float64) []byte {
	text, err := json.Marshal(f)
	if err != nil {
		panic(err) // what comes out of finite numbers is finite
	}
	return append(dst, text...)
}
