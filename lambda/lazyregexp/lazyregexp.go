// Package lazyregexp compiles a regular expression when it is first used. All of
// them at each start would cost a fifth of a millisecond, and few runs need one.
// It is a leaf.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns a function that returns the compiled expression. One that does not
// compile panics at its first use.
func New(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
