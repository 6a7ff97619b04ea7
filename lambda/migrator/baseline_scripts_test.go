package migrator_test

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// squash is a release with B scripts of one text beside V scripts.
func squash(baselines []string, versions ...string) map[string]string {
	files := release(versions...)
	for _, v := range baselines {
		files["B"+v+"__all.sql"] = "SELECT 3;"
	}
	return files
}

// baselineWorlds are releases with B scripts on every kind of history.
func baselineWorlds() map[string]world {
	b3 := []string{"3"}
	from3 := func(more ...string) []row {
		return append([]row{squashed("3", "all", "SELECT 3;")}, applied(more...)...)
	}
	brokenB3 := squashed("3", "all", "SELECT 3;")
	brokenB3.failed = true
	return map[string]world{
		"empty":                          {files: squash(b3, "1", "2", "3", "4", "5")},
		"empty and V scripts gone":       {files: squash(b3, "4")},
		"alone":                          {files: squash(b3)},
		"no description":                 {files: map[string]string{"B3.sql": "SELECT 3;", "V4.sql": "SELECT 4;"}},
		"applied":                        {files: squash(b3, "1", "2", "3", "4"), rows: from3("4")},
		"one more after it":              {files: squash(b3, "1", "2", "3", "4", "5"), rows: from3("4")},
		"history of V":                   {files: squash(b3, "1", "2", "3"), rows: applied("1", "2", "3")},
		"V of its version is to come":    {files: squash(b3, "1", "2", "3", "4"), rows: applied("1", "2")},
		"V of its version is gone":       {files: squash(b3, "1", "2", "4"), rows: applied("1", "2")},
		"V scripts gone":                 {files: squash(b3, "4", "5"), rows: applied("1", "2", "3", "4", "5")},
		"all V scripts gone":             {files: squash(b3), rows: applied("1", "2", "3")},
		"adopted at its version":         {files: squash(b3, "4"), rows: []row{baseline("3")}},
		"adopted above":                  {files: squash(b3, "4", "6"), rows: []row{baseline("5")}},
		"two":                            {files: squash([]string{"3", "10"}, "11")},
		"two and V between":              {files: squash([]string{"3", "10"}, "1", "3", "4", "10", "11")},
		"two and history from the first": {files: squash([]string{"3", "10"}, "4", "11"), rows: from3("4")},
		"the first is gone":              {files: squash([]string{"10"}, "11"), rows: from3("4")},
		"with repeatable":                {files: with(squash(b3, "1", "4"), "R__v.sql", "SELECT 1;")},
		"repeatable alone applied": {files: with(squash(b3, "4"), "R__v.sql", "SELECT 1;"),
			rows: []row{sql("", "v", "SELECT 1;")}},
		"schema made": {files: squash(b3, "4"),
			rows: []row{{"", "<< Flyway Schema Creation >>", "SCHEMA", "", false}}},
		"edited": {files: with(squash(b3, "4"), "B3__all.sql", "SELECT 33;"), rows: from3("4")},
		"renamed": {files: with(squash(b3, "4"), "B3__all.sql", "-", "B3__other.sql", "SELECT 3;"),
			rows: from3("4")},
		"spelled otherwise": {files: with(squash(nil, "4"), "B03.0__all.sql", "SELECT 3;"),
			rows: from3("4")},
		"gone and V back":        {files: release("1", "2", "3", "4"), rows: from3()},
		"gone and nothing above": {files: release("1", "2"), rows: from3()},
		"failed V":               {files: squash(b3, "1"), rows: []row{failed("1", "a", "SELECT 1;")}},
		"failed":                 {files: squash(b3, "4"), rows: []row{brokenB3}},
		"failed and gone":        {files: release("1", "4"), rows: []row{brokenB3}},
		"deleted": {files: squash(b3, "4"),
			rows: append(from3(), deleted("3", "all", "SELECT 3;"))},
		"deleted and a higher one": {files: squash([]string{"3", "10"}, "4"),
			rows: append(from3(), deleted("3", "all", "SELECT 3;"))},
		"V deleted": {files: squash(b3, "1", "4"),
			rows: append(applied("1"), deleted("1", "a", "SELECT 1;"))},
		"V below edited": {files: with(squash(b3, "1", "4"), "V1__a.sql", "SELECT 9;"),
			rows: append(applied("1"), from3("4")...)},
		"late and out of order is off": {files: squash(b3, "2", "4", "5"), rows: applied("4", "5")},
		"late and out of order is on":  {files: squash(b3, "2", "4", "5"), rows: applied("4", "5"), outOfOrder: true},
		"undo script":                  {files: with(squash(b3, "4"), "U3__all.sql", "SELECT 1;"), rows: from3("4")},
	}
}

// B scripts mean the same to Slipway as to Flyway.
func TestBaselineScriptsAreFlyways(t *testing.T) {
	t.Parallel()
	databases := pool(t)
	for name, w := range baselineWorlds() {
		for _, word := range []string{"empty", "alone", "two", "come", "is gone", "adopted", "repeatable", "deleted"} {
			w.carryOut = w.carryOut || strings.Contains(name, word)
		}
		if testing.Short() && !w.carryOut {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.yard(t, databases).agree(w)
		})
	}
}

// withBaselines adds B scripts and rows of such to a random world.
func withBaselines(r *rand.Rand, w world) world {
	for _, version := range []string{"1.1", "3", "10", "20"} {
		switch r.IntN(6) {
		case 0, 1:
			w.files["B"+version+"__all.sql"] = "SELECT 3;"
		case 2:
			w.files["B"+version+"__all.sql"] = "SELECT 3;"
			w.rows = append(w.rows, squashed(version, "all", "SELECT 3;"))
		case 3:
			w.rows = append(w.rows, squashed(version, "all", "SELECT 3;"), deleted(version, "all", "SELECT 3;"))
		}
	}
	if r.IntN(3) == 0 {
		w.rows = nil
	}
	return w
}

// typed is a row of another type than SQL.
func typed(kind, version, description string, failed bool) row {
	return row{version, description, kind, "SELECT 1;", failed}
}

// Rows of the other types that Flyway reads mean the same to Slipway.
func TestOtherRowTypesAreFlyways(t *testing.T) {
	t.Parallel()
	databases := pool(t)
	for _, kind := range []string{"JDBC", "SCRIPT", "CUSTOM", "JDBC_BASELINE", "UNDO_SCRIPT", "SCHEMA", "DELETE"} {
		other := typed(kind, "2", "a", false)
		for name, w := range map[string]world{
			"known":   {files: release("1", "2", "3"), rows: append(applied("1"), other)},
			"missing": {files: release("1", "3"), rows: append(applied("1"), other)},
			"alone":   {files: squash([]string{"3"}, "4"), rows: []row{other}},
			"failed":  {files: release("1", "2", "3"), rows: append(applied("1"), typed(kind, "2", "a", true))},
			"deleted": {files: release("1", "2", "3"),
				rows: append(applied("1"), other, deleted("2", "a", "SELECT 1;"))},
			"repeatable": {files: with(release("1"), "R__v.sql", "SELECT 1;"),
				rows: append(applied("1"), typed(kind, "", "v", false))},
		} {
			same := kind == "SCRIPT" || kind == "CUSTOM" // as JDBC
			refused := kind == "UNDO_SCRIPT" && w.rows[1%len(w.rows)].version == "" || kind == "DELETE" &&
				name == "deleted"
			if refused || name != "known" && (same || testing.Short()) {
				continue
			}
			t.Run(kind+" "+name, func(t *testing.T) {
				t.Parallel()
				w.yard(t, databases).agree(w)
			})
		}
	}
}
