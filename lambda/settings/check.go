package settings

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// PostgreSQL cuts longer names in silence. Of a table's, Flyway makes two more
// (_pk, _s_idx), which have to differ once they are cut.
const (
	maxName      = 63
	maxTableName = maxName - 2
	maxInstaller = 100 // what the history holds
)

// problem returns what is wrong with a value, "" if nothing is.
func (s Setting) problem(value string) string {
	switch s.Kind {
	case Duration:
		if d, err := time.ParseDuration(value); err != nil || d < 0 {
			return fmt.Sprintf("%q is not a valid duration; write it like 90s or 5m", value)
		}
	case Boolean:
		if _, err := strconv.ParseBool(value); err != nil {
			return fmt.Sprintf("%q is neither true nor false", value)
		}
	}
	if s.check != nil {
		return s.check(value)
	}
	return ""
}

func checkTable(name string) string {
	if strings.Contains(name, `"`) {
		return "Flyway can't make a table with a quotation mark in its name"
	}
	if len(name) > maxTableName {
		return fmt.Sprintf("has %d bytes; the history's table can have %d", len(name), maxTableName)
	}
	return ""
}

func checkSchemas(names string) string {
	for schema := range strings.SplitSeq(names, ",") {
		if n := len(strings.TrimSpace(schema)); n > maxName {
			return fmt.Sprintf("names a schema of %d bytes; PostgreSQL's names have %d", n, maxName)
		}
	}
	return ""
}

func checkInstaller(name string) string {
	if n := utf8.RuneCountInString(name); n > maxInstaller {
		return fmt.Sprintf("has %d characters; the history holds %d", n, maxInstaller)
	}
	return ""
}

func checkLocations(value string) string {
	for location := range strings.SplitSeq(value, ",") {
		if folder, ok := folder(location); !ok || folder == "" || strings.ContainsAny(folder, "*?") {
			return fmt.Sprintf("%q is not a folder; write filesystem:FOLDER, several with commas between them",
				location)
		}
	}
	return ""
}

func folder(location string) (string, bool) {
	return strings.CutPrefix(strings.TrimSpace(location), "filesystem:")
}
