package migrator_test

import (
	"strings"
	"testing"
	"time"

	"slipway/lambda/report"
)

// What a callback of the release sets, it sets on purpose; what it sets behind
// a script ends there, too.
func TestCallbacksOfTheReleaseKeepTheirSettings(t *testing.T) {
	t.Parallel()
	seen := func(table string) string {
		return "CREATE TABLE " + table + " AS SELECT concat_ws(' ', current_setting('timezone'), " +
			"current_setting('app.tenant', true), current_setting('app.each', true), current_setting('work_mem'), " +
			"current_setting('lock_timeout')) AS s;\n"
	}
	y := newYard(t, map[string]string{
		"afterConnect.sql":              "SET app.tenant = 'acme'; SET work_mem = '7MB';",
		"beforeEachMigrate.sql":         "SELECT set_config('app.each', 'x', false); SET lock_timeout = '9s';",
		"afterEachMigrate__zzz_~_表.sql": "SET timezone = 'Asia/Tokyo';",
		"V1__a.sql":                     seen("a") + "RESET ALL; SET app.tenant = 'other'; SET work_mem = '1MB';",
		"V2__b.sql":                     "CREATE INDEX CONCURRENTLY ON a (s);",
		"V3__c.sql":                     seen("c"),
		"R__r.sql":                      seen("r") + "SET ROLE NONE;",
	})
	rep := y.ok(migrate)
	for _, table := range []string{"a", "c", "r"} {
		y.equal(table, y.text("SELECT s FROM "+table), "UTC acme x 7MB 9s")
	}
	if len(rep.Warnings) != 1 || !strings.Contains(rep.Warnings[0], "V1__a.sql") ||
		!strings.Contains(rep.Warnings[0], "app.tenant") || strings.Contains(rep.Warnings[0], "imezone") {
		t.Errorf("%q", rep.Warnings)
	}
}

// A script that is tried again has its limit again, and what was left behind is
// told of the right script.
func TestSessionsOfARunThatIsTriedAgain(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);"})
	y.migrate()
	y.write("V2__b.sql", "CREATE TABLE b (id int); SET timezone = 'Asia/Tokyo';")
	y.write("V3__c.sql", "SET lock_timeout = 0;")
	y.write("V4__d.sql", "ALTER TABLE a ADD b int; SET row_security = off;")
	y.write("V5__e.sql", "CREATE TABLE e AS SELECT current_setting('lock_timeout') AS s;")
	y.config.LockTimeout = time.Second
	holder := y.connect()
	if _, err := holder.Exec(t.Context(), "BEGIN; SELECT * FROM a"); err != nil {
		t.Fatal(err)
	}
	done := make(chan *report.Report)
	go func() { done <- y.run(t.Context(), migrate) }()
	y.await("a run that is tried again", "SELECT count(*) > 0 FROM flyway_schema_history WHERE version = '3'")
	time.Sleep(3 * time.Second) // the limit passes, and the pause
	if _, err := holder.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	rep := <-done
	if !strings.Contains(y.log.String(), "a script failed because of others") {
		t.Error("it was not tried again")
	}
	told := strings.Join(rep.Warnings, "\n")
	for _, want := range []string{"V2__b.sql ended with its session changed (setting TimeZone)",
		"V3__c.sql ended with its session changed (setting lock_timeout)",
		"V4__d.sql ended with its session changed (setting row_security)"} {
		if !strings.Contains(told, want) {
			t.Errorf("%q lacks %q", told, want)
		}
	}
	y.equal("lock_timeout", y.text("SELECT s FROM e"), "1s")
}
