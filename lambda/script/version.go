package script

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Version is a Flyway version: whole numbers separated by dots or underscores,
// of any length and size. 1, 1.0 and 01 are the same version. The zero value
// is the version of an empty schema, below all others.
type Version struct {
	text  string
	parts []string // without leading zeros and without trailing zero parts
}

var versionForm = regexp.MustCompile(`^[0-9]+([._][0-9]+)*$`)

// ParseVersion reads a version as it stands in a file name or in Flyway's
// history. Its error repeats the text and says what a version looks like.
func ParseVersion(text string) (Version, error) {
	if !versionForm.MatchString(text) {
		return Version{}, fmt.Errorf("%q is no version: it should look like 1, 1.2 or 20240131.1", text)
	}
	v := Version{text: strings.ReplaceAll(text, "_", ".")}
	for part := range strings.SplitSeq(v.text, ".") {
		v.parts = append(v.parts, strings.TrimLeft(part, "0"))
	}
	for len(v.parts) > 1 && v.parts[len(v.parts)-1] == "" {
		v.parts = v.parts[:len(v.parts)-1]
	}
	return v, nil
}

// MustVersion is ParseVersion for versions written in code; it panics on a bad one.
func MustVersion(text string) Version {
	v, err := ParseVersion(text)
	if err != nil {
		panic(err)
	}
	return v
}

// String is the version as Flyway prints and stores it: with dots, zeros kept.
func (v Version) String() string { return v.text }

// IsZero reports whether v is the version of an empty schema.
func (v Version) IsZero() bool { return v.parts == nil }

// Compare answers -1, 0 or 1 as v is below, equal to or above o.
func (v Version) Compare(o Version) int {
	if v.IsZero() || o.IsZero() {
		return cmp.Compare(len(v.parts), len(o.parts))
	}
	for i := range max(len(v.parts), len(o.parts)) {
		if c := compareNumbers(part(v.parts, i), part(o.parts, i)); c != 0 {
			return c
		}
	}
	return 0
}

// Key is equal for equal versions, for use in a map.
func (v Version) Key() string { return strings.Join(v.parts, ".") }

func part(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return ""
}

// compareNumbers compares two whole numbers written without leading zeros.
func compareNumbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// Highest is the highest of the versions, the zero Version if there is none.
func Highest(versions ...Version) Version {
	if len(versions) == 0 {
		return Version{}
	}
	return slices.MaxFunc(versions, Version.Compare)
}
