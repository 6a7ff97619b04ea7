package script

import (
	"fmt"
	"strings"

	"slipway/lambda/untrusted"
)

// markup are characters that begin code, links, tags, cells or mentions where
// reviews and reports are read. They are escaped there; a name does not need them.
const markup = "`<>[]|@\\"

// CheckPath refuses a script's path, with slashes, that would not be read as it
// is: folders count, too. The error says which character and what to do.
func CheckPath(path string) error {
	for _, r := range path {
		if !untrusted.AllShows(string(r)) {
			return fmt.Errorf("its path holds the character %U, which no reader sees: rename the file or folder", r)
		}
		if strings.ContainsRune(markup, r) {
			return fmt.Errorf("its path holds %q, which reviews and reports could take for markup: rename the file "+
				"or folder", r)
		}
	}
	if !untrusted.AllShows(path) {
		return fmt.Errorf("its path is no UTF-8: rename the file or folder")
	}
	return nil
}
