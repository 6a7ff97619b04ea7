package migrator

import (
	"regexp"
	"sync"
)

// lazy is a regular expression that is compiled when it is first used. All of
// them at each start would cost a fifth of a millisecond, and few runs need one.
func lazy(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
