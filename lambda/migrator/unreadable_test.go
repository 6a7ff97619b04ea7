package migrator_test

import (
	"strings"
	"testing"

	"slipway/lambda/migrator"
	"slipway/lambda/plan"
	"slipway/lambda/report"
)

// oldHistory is a history that another program began, without the constraints of Flyway's table.
const oldHistory = `CREATE TABLE flyway_schema_history (installed_rank int, version varchar(50), description varchar(200), type varchar(20),
	script varchar(1000), checksum int, installed_by varchar(100), installed_on timestamp DEFAULT now(), execution_time int, success boolean);
	INSERT INTO flyway_schema_history VALUES (1, '1', 'a', 'SQL', 'V1__a.sql', NULL, 'old', '2015-03-01', 5, true);`

func oldRow(rank, version, description, kind, name string) string {
	return "INSERT INTO flyway_schema_history VALUES (" + rank + ", " + version + ", " + description + ", " + kind +
		", " + name +
		", NULL, 'old', '2015-04-01', 5, true);"
}

var allCommands = []migrator.Request{
	{Command: "migrate"}, {Command: "validate"}, {Command: "repair"}, {Command: "baseline", Target: "1"},
	{Command: "revert", To: "0"},
	{Command: "revert", Steps: 1, DryRun: true},
}

// Flyway ends every command at such a row, its repair too. Each command names it,
// and repair rewrites it once it was shown.
func TestRowsThatFlywayCantRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rows, ranks string
		row, sql    string
		after       string // the history, once repaired
		applied     string // by the migrate after that
	}{
		"a class of Spring's": {
			rows: oldRow("3", "'2'", "'b'", "'SPRING_JDBC'", "'db.V2__b'"), ranks: "3",
			row:   `row 3 of the history (version 2, "b", type "SPRING_JDBC"): Flyway does not know its type`,
			sql:   `UPDATE "public"."flyway_schema_history" SET type = 'JDBC' WHERE installed_rank = 3 AND coalesce(type, '') = 'SPRING_JDBC' AND version = '2';`,
			after: "1 SQL; 2 JDBC; 2 DELETE", applied: "V2__b.sql V3__c.sql",
		},
		"an undo of the paid edition": {
			rows: oldRow("2", "'2'", "'b'", "'SQL'", "'V2__b.sql'") +
				oldRow("3", "'2'", "'b'", "'UNDO_SQL'", "'U2__b.sql'"), ranks: "3",
			row: `type "UNDO_SQL"`, sql: `SET type = 'DELETE'`, after: "1 SQL; 2 SQL; 2 DELETE",
			applied: "V2__b.sql V3__c.sql",
		},
		"small letters": {
			rows: oldRow("2", "'2'", "'b'", "'sql'", "'V2__b.sql'"), ranks: "2", row: `type "sql"`,
			sql: `SET type = 'SQL'`, after: "1 SQL; 2 SQL", applied: "V3__c.sql",
		},
		"white space": {
			rows: oldRow("2", "' 2 '", "'b'", "'SQL'", "'V2__b.sql'"), ranks: "2", row: "white space",
			sql: `SET version = '2'`, after: "1 SQL; 2 SQL", applied: "V3__c.sql",
		},
		"no type": {
			rows: oldRow("2", "'2'", "'b'", "NULL", "'V2__b.sql'"), ranks: "2", row: `type ""`,
			sql: `SET type = 'CUSTOM'`, after: "1 SQL; 2 CUSTOM; 2 DELETE", applied: "V2__b.sql V3__c.sql",
		},
		"another program's, with quotes": {
			rows: oldRow("2", "NULL", "'it''s'", `'O''TYPE\'`, "'x'"), ranks: "2", row: `"O'TYPE\\"`,
			sql: `= E'O''TYPE\\';`, after: "1 SQL; it's CUSTOM; it's DELETE", applied: "V2__b.sql V3__c.sql",
		},
		"deleted twice": {
			rows: oldRow("2", "'2'", "'b'", "'SQL'", "'V2__b.sql'") +
				oldRow("3", "'2'", "'b'", "'DELETE'", "'V2__b.sql'") +
				oldRow("4", "'2'", "'b'", "'DELETE'", "'V2__b.sql'"), ranks: "4",
			row: "deleted already", sql: `DELETE FROM "public"."flyway_schema_history" WHERE installed_rank = 4`,
			after: "1 SQL; 2 SQL; 2 DELETE", applied: "V2__b.sql V3__c.sql",
		},
	} {
		t.Run(strings.ReplaceAll(name, ",", ""), func(t *testing.T) {
			t.Parallel()
			y := newYard(t, map[string]string{"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT 2;",
				"V3__c.sql": "SELECT 3;", "U1__a.sql": "SELECT 1;"})
			y.exec(oldHistory + c.rows)
			before := y.text("SELECT string_agg(h::text, ';' ORDER BY h::text) FROM flyway_schema_history h")
			for _, req := range allCommands {
				rep := y.fails(report.ValidationFailed, req)
				contains(t, req.Command, rep.Next, "`slipway repair --rows "+c.ranks+"`")
				contains(t, req.Command, rep.Problems[0].Reason, c.row, c.sql)
			}
			info := y.ok(migrator.Request{Command: "info"})
			contains(t, "info", strings.Join(info.Warnings, " ")+info.Problems[0].Reason, "Flyway can't read 1 row",
				c.row, c.sql)
			y.fails(report.BadRequest, migrator.Request{Command: "repair", Rows: "99"})
			y.equal("history", y.text("SELECT string_agg(h::text, ';' ORDER BY h::text) FROM flyway_schema_history h"),
				before)
			y.equal("starts of Flyway", strings.Repeat("x", y.starts()), "")

			repaired := y.ok(migrator.Request{Command: "repair", Rows: c.ranks})
			contains(t, "actions", repaired.Actions[0], c.sql)
			y.equal("history", y.history(), c.after)
			y.equal("applied", scripts(y.ok(migrate).Applied), c.applied)
			y.sameInfo()
			y.fails(report.BadRequest, migrator.Request{Command: "repair", Rows: c.ranks})
		})
	}
}

// What is wrong with a row can need a person.
func TestVersionThatIsNoneIsForAPerson(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "SELECT 1;"})
	y.exec(oldHistory + oldRow("2", "'2.x'", "'b'", "'SQL'", "'V2.x__b.sql'"))
	for _, req := range append(allCommands, migrator.Request{Command: "repair", Rows: "2"}) {
		rep := y.fails(report.ValidationFailed, req)
		contains(t, req.Command, rep.Problems[0].Reason,
			`row 2 of the history (version 2.x, "b", type "SQL"): its version is not a version`)
		contains(t, req.Command, rep.Next, "by hand")
	}
}

// Values that no history should lack are read as Flyway reads them.
func TestHistoryWithNullsAndOtherTypes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ change, state string }{
		"no success":     {"UPDATE flyway_schema_history SET success = NULL", "1 Failed; 2 Pending"},
		"no description": {"UPDATE flyway_schema_history SET description = NULL", "1 Success; 2 Pending"},
		"nobody, nowhen": {"UPDATE flyway_schema_history SET installed_by = NULL, execution_time = NULL, script = 'x'",
			"1 Success; 2 Pending"},
		"words": {"ALTER TABLE flyway_schema_history ALTER success TYPE text", "1 Success; 2 Pending"},
		"numbers": {"ALTER TABLE flyway_schema_history ALTER success TYPE int USING success::int",
			"1 Success; 2 Pending"},
		"larger types": {"ALTER TABLE flyway_schema_history ALTER installed_rank TYPE bigint, ALTER checksum " +
			"TYPE bigint, ALTER version TYPE text", "1 Success; 2 Pending"},
		"one more column": {"ALTER TABLE flyway_schema_history ADD note text", "1 Success; 2 Pending"},
		"twice":           {oldRow("2", "'1'", "'a'", "'SQL'", "'V1__a.sql'"), "1 Success; 1 Out of Order; 2 Pending"},
	} {
		t.Run(strings.ReplaceAll(name, ",", ""), func(t *testing.T) {
			t.Parallel()
			y := newYard(t, map[string]string{"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT 2;"})
			y.exec(oldHistory + c.change)
			y.equal("Flyway", y.states(), c.state)
			y.sameInfo()
			if rep := y.run(t.Context(), migrate); rep.Code == report.Internal {
				t.Errorf("%+v", rep)
			}
		})
	}
}

// A table that is no history, or none that Flyway can write to, is named before anything runs.
func TestTableThatIsNoHistory(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change string
		want   []string
		reads  bool // by info
	}{
		"a column is missing": {"ALTER TABLE flyway_schema_history DROP execution_time",
			[]string{`is not a history of Flyway: column "execution_time" does not exist`}, false},
		"a sum out of range": {"ALTER TABLE flyway_schema_history ALTER checksum TYPE bigint; UPDATE " +
			"flyway_schema_history SET checksum = 5000000000", []string{"integer out of range"}, false},
		"a view": {"ALTER TABLE flyway_schema_history RENAME TO h; CREATE VIEW " +
			"flyway_schema_history AS SELECT * FROM h", []string{"is a view"}, true},
		"a column of Flyway 3's": {"ALTER TABLE flyway_schema_history ADD version_rank int NOT NULL DEFAULT 1; " +
			"ALTER TABLE flyway_schema_history ALTER version_rank DROP DEFAULT",
			[]string{"needs a value in version_rank",
				`ALTER TABLE "public"."flyway_schema_history" ALTER COLUMN version_rank DROP NOT NULL;`}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := newYard(t, map[string]string{"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT 2;",
				"U1__a.sql": "SELECT 1;"})
			y.exec(oldHistory + c.change)
			for _, req := range []migrator.Request{migrate, {Command: "repair"}, {Command: "revert", To: "0"}} {
				rep := y.fails(report.ValidationFailed, req)
				contains(t, req.Command, rep.Message+rep.Next, c.want...)
			}
			info := y.run(t.Context(), migrator.Request{Command: "info"})
			if info.OK() != c.reads || info.Code == report.Internal {
				t.Errorf("info: %+v", info)
			}
			y.equal("starts of Flyway", strings.Repeat("x", y.starts()), "")
		})
	}
}

// Before version 5 Flyway gave the table another name.
func TestHistoryUnderItsOldName(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "SELECT 1;", "V2__b.sql": "CREATE TABLE b (id int);"})
	y.exec(strings.ReplaceAll(oldHistory, "flyway_schema_history", "schema_version") +
		"ALTER TABLE schema_version ADD version_rank int NOT NULL DEFAULT 1")
	for _, baseline := range []string{"", "1"} {
		y.config.Baseline = baseline
		rep := y.fails(report.BadRequest, migrate)
		contains(t, "message", rep.Message+rep.Next, "before version 5, schema_version", "FLYWAY_TABLE")
	}
	y.equal("starts of Flyway", strings.Repeat("x", y.starts()), "")
	y.config.Table = "schema_version"
	y.config.Flyway.Environment["FLYWAY_TABLE"] = "schema_version"
	y.equal("applied", scripts(y.ok(migrate).Applied), "V2__b.sql")

	other := newYard(t, map[string]string{"V1__a.sql": "SELECT 1;"})
	other.exec("CREATE TABLE schema_version (version int)")
	other.fails(report.SchemaNotEmpty, migrate)
}

// Flyway 12.11 reads the rows of Spring's classes again.
func TestRowsAreJudgedByFlywaysVersion(t *testing.T) {
	for version, want := range map[string]bool{"12.4.0": false, "12.10.9": false, "12.11.0": true, "13.0.0": true,
		"13.12.1": true, "": false, "latest": false} {
		if got := plan.ReadsType(version, "SPRING_JDBC"); got != want {
			t.Errorf("%s: %t", version, got)
		}
	}
}
