package settings

import (
	"fmt"
	"strings"
)

// Help lists the settings for a terminal.
func Help() string {
	var b strings.Builder
	for _, s := range All {
		fmt.Fprintf(&b, "  %-32s%s", s.Name, s.Doc)
		if s.Default != "" && s.Kind != Boolean {
			fmt.Fprintf(&b, "; default %s", s.Default)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Markdown is the table of the settings.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| variable | value | default | Flyway gets it | |\n| --- | --- | --- | --- | --- |\n")
	for _, s := range All {
		byDefault := s.Default
		if byDefault != "" {
			byDefault = "`" + byDefault + "`"
		}
		yes := ""
		if s.Flyway {
			yes = "yes"
		}
		kind := s.Kind
		if kind == "" {
			kind = Text
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", s.Name, kind, byDefault, yes, s.Doc)
	}
	return b.String()
}
