package lazy

import (
	"regexp"
	"sync"
)

// Regexp returns an expression that is compiled when somebody first asks for it. It panics then when it is none.
func Regexp(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
