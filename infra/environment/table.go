package environment

import (
	"fmt"
	"strings"
)

// Table is [Keys], and then [PipelineKeys], each as a Markdown table.
func Table() string {
	return table("environments.<name>", Keys) + "\n" + table("pipeline", PipelineKeys)
}

func table(object string, keys []Key) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| key of `%s` | value | default | |\n| --- | --- | --- | --- |\n", object)
	for _, k := range keys {
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
