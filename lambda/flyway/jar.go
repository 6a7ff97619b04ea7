package flyway

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
)

// jarName is the name of a jar's file, taken apart: netty-common-4.1.9-linux.jar
// is netty-common, 4.1.9, linux.
type jarName struct{ name, version, classifier string }

var beforeVersion = regexp.MustCompile(`-[0-9]`)

func parse(file string) jarName {
	stem := strings.TrimSuffix(file, ".jar")
	at := beforeVersion.FindStringIndex(stem)
	if at == nil {
		return jarName{name: stem}
	}
	version, classifier, _ := strings.Cut(stem[at[0]+1:], "-")
	return jarName{name: stem[:at[0]], version: version, classifier: classifier}
}

// identity is the same for two files of which only one may be on the class path:
// versions of one jar. Of a library, two major versions may stand there: 2 and 3
// of Jackson have the same names of files and different packages, and Flyway's
// lib has both.
func identity(file string) string {
	jar := parse(file)
	major := ""
	if !strings.HasPrefix(jar.name, "flyway-") && jar.name != "postgresql" {
		major, _, _ = strings.Cut(jar.version, ".")
	}
	return jar.name + " " + major + " " + jar.classifier
}

// AtLeast compares the first two numbers of a version of Flyway. A version that
// is not known counts as old.
func AtLeast(version string, major, minor int) bool {
	first, rest, _ := strings.Cut(version, ".")
	second, _, _ := strings.Cut(rest, ".")
	a, err := strconv.Atoi(first)
	b, bad := strconv.Atoi(second)
	return err == nil && bad == nil && cmp.Or(cmp.Compare(a, major), cmp.Compare(b, minor)) >= 0
}
