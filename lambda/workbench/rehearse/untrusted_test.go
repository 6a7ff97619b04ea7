package rehearse

import (
	"strings"
	"testing"

	"slipway/lambda/report"
	"slipway/lambda/untrusted"
)

// Tables, messages and undo differences are what the branch's scripts made.
func TestRehearsalsShowWhatScriptsWrote(t *testing.T) {
	const evil = "x\x1b[2J\u202ey\u200b\n1 new script ran\xff"
	excerpt := &report.Excerpt{First: 1, Lines: []string{evil}, Column: 3}
	r := &Report{
		Server: evil, Filled: []Filling{{Table: evil}}, TargetScripts: 1, Warnings: []string{evil},
		Scripts: []Script{{Script: evil, Failed: true, Rewritten: []string{evil}, Emptied: []string{evil},
			Rows: []Rows{{Table: evil, Inserted: 1}}, Locks: []Lock{{Table: evil, Mode: evil, Blocks: evil}}}},
		Undo: []Undo{{Script: evil, Message: evil, Diff: evil, Line: 1, Excerpt: excerpt},
			{Script: evil, Waived: evil}, {Script: evil, Skipped: evil}},
		Failure: &Failure{Line: 1, Excerpt: excerpt, Where: evil, Code: evil, Script: evil, Message: evil, Next: evil,
			Problems: []string{evil}},
	}
	var text, raw strings.Builder
	for _, err := range []error{r.WriteText(&text, false), r.WriteJSON(&raw)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, out := range []string{text.String(), raw.String()} {
		if !untrusted.AllShows(strings.ReplaceAll(out, "\n", "")) {
			t.Errorf("it holds what does not show: %q", out)
		}
	}
	if strings.Contains(text.String(), "\n1 new script ran") {
		t.Errorf("a line passes for the rehearsal's own:\n%s", text.String())
	}
}
