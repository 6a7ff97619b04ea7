package plan

import (
	"testing"

	"slipway/lambda/history"
	"slipway/lambda/script"
)

// A dump that holds a history, or a script that writes rows, makes nothing applied.
func TestOnlyPendingScriptsCountAsApplied(t *testing.T) {
	pending := []script.File{
		{Name: script.Name{Kind: script.Baseline}, Script: "B1__all.sql"},
		{Name: script.Name{Kind: script.Versioned}, Script: "V2__b.sql"},
		{Name: script.Name{Kind: script.Versioned}, Script: "V3__c.sql"},
	}
	history := []history.Row{
		{Rank: 1, Type: "SQL", Script: "V2__b.sql", Success: true}, // before the run
		{Rank: 2, Type: "SQL_BASELINE", Script: "B1__all.sql", Success: true},
		{Rank: 3, Type: "SQL", Script: "V7__of_the_dump.sql", Success: true},
		{Rank: 4, Type: "BASELINE", Script: "V3__c.sql", Success: true},
		{Rank: 5, Type: "SQL", Script: "V2__b.sql", Success: true},
		{Rank: 6, Type: "SQL", Script: "V2__b.sql", Success: true},
		{Rank: 7, Type: "SQL", Script: "V3__c.sql", Success: false},
	}
	got := ""
	for _, s := range AppliedSince(1, history, pending) {
		got += s.Script + " "
	}
	if got != "B1__all.sql V2__b.sql " {
		t.Errorf("applied: %s", got)
	}
}
