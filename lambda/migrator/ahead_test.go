package migrator_test

import (
	"fmt"
	"strings"
	"testing"

	"slipway/lambda/report"
)

// A history that is ahead of the release: fine as long as everything that the
// release lacks is above it, and nothing is pending.
func TestHistoryAheadOfTheRelease(t *testing.T) {
	t.Parallel()
	databases := pool(t)
	for name, c := range map[string]struct {
		world
		code report.Code
		says string // in the warnings of a success, in the problems of a failure
	}{
		"one above": {world{files: release("1", "2"), rows: applied("1", "2", "3")}, report.OK,
			"ahead of this release: it has 3 as well"},
		"several above": {world{files: release("1"), rows: applied("1", "2", "3")}, report.OK,
			"it has 2, 3 as well"},
		"above a baseline": {world{files: release("1", "2"), rows: append([]row{baseline("2")}, applied("3")...)},
			report.OK, "it has 3"},
		"missing in between": {world{files: release("1", "3"), rows: applied("1", "2", "3")}, report.ValidationFailed,
			"V2__a.sql: was applied, and the release does not have it"},
		"missing and above": {world{files: release("1", "3"), rows: applied("1", "2", "3", "4")},
			report.ValidationFailed, "V2__a.sql: was applied"},
		"late": {world{files: release("1", "2", "3"), rows: applied("1", "3")}, report.ValidationFailed,
			"V2__a.sql: comes late"},
		"late and above": {world{files: release("1", "2", "3"), rows: applied("1", "3", "4")},
			report.ValidationFailed, "V2__a.sql: comes late"},
		"late below above": {world{files: release("1", "2"), rows: applied("1", "3")}, report.ValidationFailed,
			"V2__a.sql: comes late"},
		"repeatable pending": {world{files: with(release("1"), "R__v.sql", "SELECT 1;"), rows: applied("1", "2")},
			report.ValidationFailed, "R__v.sql: is pending, while the database has newer versions"},
		"repeatable edited": {world{files: with(release("1"), "R__v.sql", "SELECT 2;"),
			rows: append(applied("1", "2"), sql("", "v", "SELECT 1;"))}, report.ValidationFailed,
			"R__v.sql: is pending"},
		"repeatable same": {world{files: with(release("1"), "R__v.sql", "SELECT 1;"),
			rows: append(applied("1", "2"), sql("", "v", "SELECT 1;"))}, report.OK, "it has 2"},
		"edited below": {world{files: with(release("1"), "V1__a.sql", "SELECT 2;"), rows: applied("1", "2")},
			report.ValidationFailed, "V1__a.sql: edited"},
		"failed above": {world{files: release("1"), rows: append(applied("1"), failed("2", "a", "SELECT 1;"))},
			report.PreviousFailed, "V2__a.sql: failed"},
		"late and allowed": {world{files: release("1", "2"), rows: applied("1", "3"), outOfOrder: true},
			report.ValidationFailed, "V2__a.sql: is pending, while the database has newer versions"},
		"reverted above": {world{files: release("1"), rows: append(applied("1", "2"), deleted("2", "a", "SELECT 1;"))},
			report.OK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := c.yard(t, databases)
			before := y.history()
			rep := y.run(t.Context(), migrate)
			problems := ""
			for _, p := range rep.Problems {
				problems += p.String() + "\n"
			}
			said := strings.Join(rep.Warnings, "\n") + problems
			if rep.Code != c.code || !strings.Contains(said, c.says) {
				t.Errorf("%s, %q", rep.Code, said)
			}
			if rep.OK() == (rep.Next != "") || len(rep.Applied) > 0 {
				t.Errorf("next %q, applied %v", rep.Next, rep.Applied)
			}
			y.equal("history", y.history(), before)
			y.equal("starts of Flyway", fmt.Sprint(y.starts()), "0")
		})
	}
}
