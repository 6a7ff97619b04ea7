package report

import (
	"encoding/json"
	"strings"
	"testing"

	"slipway/lambda/untrusted"
)

// evil is what a script can raise, be called, or leave in a history.
const evil = "x\x1b[2J\u202ey\u200b\nOK  5 applied\n\u2028z\xff"

// Nothing of others moves the cursor, hides, or passes for a line of the report.
func TestReportsShowWhatOthersWrote(t *testing.T) {
	bad := Script{Version: evil, Description: evil, Type: evil, Script: evil, State: evil}
	for _, r := range []Report{
		{Command: "migrate", Code: MigrationFailed, Message: evil, Next: evil, Script: evil, SQLState: evil,
			Applied: []Script{bad}, Pending: []Script{bad}, Warnings: []string{evil},
			Problems: []Problem{{Script: evil, Reason: evil}},
			Blockers: []Blocker{{User: evil, Application: evil, Query: evil}}, Restore: evil, Actions: []string{evil},
			Database: Database{Host: evil, Name: evil, User: evil, ServerVersion: evil}},
		{Command: "info", Code: OK, Scripts: []Script{bad}},
	} {
		for _, color := range []bool{false, true} {
			var out strings.Builder
			if err := r.WriteText(&out, color); err != nil {
				t.Fatal(err)
			}
			text := strings.NewReplacer("\x1b[31m", "", "\x1b[32m", "", "\x1b[0m", "", "\n", "").Replace(out.String())
			if !untrusted.AllShows(text) {
				t.Errorf("the report holds what does not show: %q", text)
			}
			if r.Code != OK && strings.Contains(out.String(), "\nOK  5 applied") {
				t.Errorf("a line passes for the report's own:\n%s", out.String())
			}
		}
		if summary := r.Summary(2000); !untrusted.AllShows(summary) {
			t.Errorf("the summary holds what does not show: %q", summary)
		}
		var out strings.Builder
		if err := r.WriteJSON(&out); err != nil {
			t.Fatal(err)
		}
		var back Report
		if err := json.Unmarshal([]byte(out.String()), &back); err != nil ||
			!untrusted.AllShows(strings.ReplaceAll(out.String(), "\n", "")) {
			t.Errorf("%v: %q", err, out.String())
		}
		if want := strings.ToValidUTF8(r.Message, "\ufffd"); back.Message != want {
			t.Errorf("the JSON says %q, want %q", back.Message, want)
		}
	}
}
