package environment

import (
	"fmt"
	"strings"
)

// Table is [Keys] as a Markdown table.
func Table() string {
	var b strings.Builder
	b.WriteString("| key of `environments.<name>` | value | default | |\n| --- | --- | --- | --- |\n")
	for _, k := range Keys {
		doc := k.Doc
		switch k.Scope {
		case MadeHere:
			doc = "*Made here:* " + doc
		case Exists:
			doc = "*Existing:* " + doc
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.Path, k.Kind, k.shown(), doc)
	}
	return b.String()
}

func (k Key) shown() string {
	switch {
	case k.Absent == required:
		return "**required**"
	case k.Absent != "":
		return k.Absent
	case k.Kind == List || k.Kind == Map:
		return "none"
	case k.Relaxed != nil:
		return fmt.Sprintf("`%v`; throwaway: `%v`", k.Default, k.Relaxed)
	}
	return fmt.Sprintf("`%v`", k.Default)
}
