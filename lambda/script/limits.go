package script

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// What fits into the columns of Flyway's history. What is longer fails only
// when the row is written: after the script ran.
const (
	maxVersion     = 50
	maxDescription = 200
	maxScript      = 1000
	// cutDescription is how much Flyway keeps of a longer description, in units of
	// UTF-16. It compares descriptions of versioned scripts as they were cut.
	cutDescription = 197
)

// Storable is the error of a version that is too long for Flyway's history.
func (v Version) Storable() error {
	if n := utf8.RuneCountInString(v.text); n > maxVersion {
		return fmt.Errorf("the version has %d characters, and the history holds %d", n, maxVersion)
	}
	return nil
}

// limits finds what of a script's name does not fit into the history.
func (l *loader) limits(f File) {
	if f.Kind != Versioned && f.Kind != Baseline && f.Kind != Repeatable {
		return
	}
	if err := f.Version.Storable(); err != nil {
		l.fail(f.Script, 0, "%v: give it a shorter version", err)
	}
	if n := utf8.RuneCountInString(f.Script); n > maxScript {
		l.fail(f.Script, 0, "its path has %d characters, and the history holds %d: move it up", n, maxScript)
	}
	units := utf16.Encode([]rune(f.Description))
	switch {
	case len(units) <= maxDescription:
	case f.Kind == Repeatable:
		// It is known by its description: it would be missing and pending for ever.
		l.fail(f.Script, 0, "its description is longer than %d characters: Flyway stores no more of it and would "+
			"not find it again", maxDescription)
	case utf16.IsSurrogate(rune(units[cutDescription-1])) && units[cutDescription-1] < 0xdc00:
		l.fail(f.Script, 0, "its description is longer than %d characters, and Flyway would cut it inside of one: "+
			"shorten it", maxDescription)
	}
}
