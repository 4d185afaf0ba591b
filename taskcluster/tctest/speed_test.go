package tctest_test

import (
	"sync"
	"testing"

	"github.com/tafc/tafc/taskcluster/tctest"
)

// BenchmarkCreateTask creates tasks of about five kilobytes, fifty at a time, each with a dependency. What it costs is mostly HTTP.
func BenchmarkCreateTask(b *testing.B) {
	s := tctest.New(b, tctest.Options{})
	t := &testing.T{}
	c := as(t, s, s.Credentials("queue:create-task:lowest:*", "queue:create-task:project:none", "queue:scheduler-id:taf"))
	if a, err := c.try("PUT", "/api/queue/v1/task/"+id(0), aTask(s, nil)); err != nil || a.status != 200 {
		b.Fatal(err, a.text)
	}
	env := map[string]any{}
	for n := range 100 {
		env[id(n)] = "a value of some thirty characters"
	}
	def := mustJSON(aTask(s, map[string]any{"dependencies": []string{id(0)}, "payload": map[string]any{"env": env}}))
	b.ResetTimer()
	var wg sync.WaitGroup
	next := make(chan int)
	for range 50 {
		wg.Go(func() {
			for n := range next {
				if a, err := c.try("PUT", "/api/queue/v1/task/"+id(n), string(def)); err != nil || a.status != 200 {
					b.Error(err, a.text)
				}
			}
		})
	}
	for n := range b.N {
		next <- n + 1
	}
	close(next)
	wg.Wait()
}
