package migrator_test

import (
	"fmt"
	"strings"
	"testing"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

// Where Flyway would do or say something else than "nothing is pending", it is
// asked, whatever the checksums say.
func TestDoubtsAreFlywaysToSettle(t *testing.T) {
	t.Parallel()
	validate := migrator.Request{Command: "validate"}
	for name, c := range map[string]struct {
		files  map[string]string
		rows   []row
		change func(y *yard)
		req    migrator.Request
		code   report.Code
		says   string
		asked  bool // Flyway, of a run that is OK
	}{
		"a placeholder without a value in what was applied literally": {
			files: with(release("1"), "R__v.sql", "SELECT '${nobody}';"),
			rows:  append(applied("1"), sql("", "v", "SELECT '${nobody}';")),
			req:   migrate, code: report.BadRelease, says: "${nobody}"},
		"a second schema": {
			files: release("1"), rows: applied("1"), req: migrate, code: report.OK, asked: true,
			change: func(y *yard) {
				y.config.Flyway.Environment = map[string]string{"FLYWAY_SCHEMAS": "public,second_" +
					fmt.Sprint(len(y.folder))}
			}},
		"a repeatable row of Java": {
			files: with(release("1"), "R__v.sql", "SELECT 1;"),
			rows:  append(applied("1"), row{"", "v", "JDBC", "SELECT 1;", false}),
			req:   migrate, code: report.ValidationFailed, says: "type"},
		"a row that no Flyway wrote": {
			files: with(release("1"), "R__v.sql", "SELECT 1;"),
			rows:  append(applied("1"), row{"", "v", "PYTHON", "SELECT 1;", false}),
			req:   migrate, code: report.ValidationFailed, says: "PYTHON"},
		"renamed, without a checksum": {
			files: with(release("1"), "V2__b.sql", "SELECT 1;"), rows: applied("1", "2"), req: migrate,
			code: report.ValidationFailed, says: `renamed after it was applied ("a" then)`,
			change: func(y *yard) { y.exec("UPDATE flyway_schema_history SET checksum = NULL WHERE version = '2'") }},
		"a callback of validate": {
			files: with(release("1"), "afterValidate.sql", "SELECT 1/0;"), rows: applied("1"), req: validate,
			code: report.MigrationFailed, says: "division by zero"},
		"a callback of migrate, for validate": {
			files: with(release("1"), "afterMigrate.sql", "SELECT 1/0;"), rows: applied("1"), req: validate,
			code: report.OK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := newYard(t, c.files)
			y.exec(world{rows: c.rows}.insert())
			if c.change != nil {
				c.change(y)
			}
			rep := y.run(t.Context(), c.req)
			said := rep.Message + fmt.Sprint(rep.Problems)
			if rep.Code != c.code || !strings.Contains(said, c.says) {
				t.Errorf("%s, %q", rep.Code, said)
			}
			if rep.OK() && (rep.FlywayVersion != "") != c.asked {
				t.Errorf("Flyway %q was asked, want %t", rep.FlywayVersion, c.asked)
			}
		})
	}
}

// With newer versions in the database, a repeatable script of which only Flyway
// can tell whether it changed is no reason to refuse: it is asked, and runs nothing.
func TestAheadWithARepeatableThatOnlyFlywayCanJudge(t *testing.T) {
	t.Parallel()
	y := newYard(t, with(release("1", "2"), "R__v.sql", "SELECT '${flyway:filename}';"))
	y.migrate()
	y.remove("V2__a.sql")
	before := y.history()
	if rep := y.ok(migrate); !strings.Contains(strings.Join(rep.Warnings, "\n"), "ahead of this release") {
		t.Errorf("%+v", rep)
	}
	y.write("R__v.sql", "SELECT '${flyway:filename}', 2;")
	if rep := y.fails(report.ValidationFailed, migrate); !strings.Contains(fmt.Sprint(rep.Problems),
		"R__v.sql: is pending") {
		t.Errorf("%+v", rep)
	}
	y.equal("history", y.history(), before)
}
