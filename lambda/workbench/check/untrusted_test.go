package check

import (
	"strings"
	"testing"

	"slipway/lambda/untrusted"
)

// A waiver's reason and a file's name are the branch's.
func TestFindingsShowWhatTheBranchWrote(t *testing.T) {
	const evil = "x\x1b[2J\u202ey\u200b\n0 errors, 0 warnings\xff"
	r := &Result{
		Against: evil, Base: evil, Tip: evil + "2", Scripts: []Script{{Script: evil, Change: evil}},
		Findings: []Finding{{Rule: evil, Level: Error, Script: evil, Message: evil, Waived: evil},
			{Rule: evil, Level: Error, Script: evil, Message: evil, Help: evil}},
	}
	var text, raw, sarif strings.Builder
	for _, err := range []error{r.WriteText(&text, false), r.WriteJSON(&raw), r.WriteSARIF(&sarif)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, out := range []string{text.String(), raw.String(), sarif.String()} {
		if !untrusted.AllShows(strings.ReplaceAll(out, "\n", "")) {
			t.Errorf("it holds what does not show: %q", out)
		}
	}
	if strings.Contains(text.String(), "\n0 errors") {
		t.Errorf("a line passes for the result's own:\n%s", text.String())
	}
}
