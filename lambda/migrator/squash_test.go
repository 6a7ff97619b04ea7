package migrator_test

import (
	"strings"
	"testing"
	"time"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

// squashed three scripts into one, which a new database begins with.
func squashedRelease() map[string]string {
	return map[string]string{
		"V1__a.sql": "CREATE TABLE a (id int);", "V2__b.sql": "CREATE TABLE b (id int);",
		"V3__c.sql": "ALTER TABLE b ADD c int;",
	}
}

const allOfIt = "CREATE TABLE a (id int); CREATE TABLE b (id int, c int);"

func TestNewDatabaseBeginsWithTheBaselineScript(t *testing.T) {
	t.Parallel()
	y := newYard(t, with(squashedRelease(), "B3__all.sql", allOfIt, "V4__d.sql", "CREATE TABLE d (id int);",
		"U4__d.sql", "DROP TABLE d;"))
	rep := y.ok(migrate)
	y.equal("applied", scripts(rep.Applied), "B3__all.sql V4__d.sql")
	y.equal("type", rep.Applied[0].Type, "SQL_BASELINE")
	y.equal("history", y.history(), "3 SQL_BASELINE; 4 SQL")
	y.sameInfo()

	// Without the scripts that it stands for, too.
	for _, name := range []string{"V1__a.sql", "V2__b.sql", "V3__c.sql"} {
		y.remove(name)
	}
	y.log.Reset()
	y.ok(migrate)
	y.equal("starts", string(rune('0'+y.starts())), "0")

	y.ok(migrator.Request{Command: "revert", To: "3"})
	refused := y.fails(report.RevertRefused, migrator.Request{Command: "revert", To: "0"})
	if !strings.Contains(refused.Message, "B3__all.sql, which can't be reverted") {
		t.Error(refused.Message)
	}
	refused = y.fails(report.RevertRefused, migrator.Request{Command: "revert", Steps: 1})
	y.equal("message", refused.Message, "only 0 versions can be reverted, not 1; nothing was changed")
}

func TestDatabaseWithVersionsOutlivesTheSquash(t *testing.T) {
	t.Parallel()
	y := newYard(t, squashedRelease())
	y.migrate()
	y.write("B3__all.sql", allOfIt)
	y.migrate()
	y.equal("history", y.history(), "1 SQL; 2 SQL; 3 SQL")
	y.write("V4__d.sql", "CREATE TABLE d (id int);")
	for _, name := range []string{"V1__a.sql", "V2__b.sql", "V3__c.sql"} {
		y.remove(name)
	}
	before := y.snapshot()
	const advice = "Put the V script of version 3 back into the release beside B3__all.sql"
	if rep := y.fails(report.ValidationFailed, migrate); !strings.HasPrefix(rep.Next, advice) {
		t.Error(rep.Next)
	}
	// Flyway's repair would mark all as deleted, and then run B3 on the tables.
	if rep := y.fails(report.ValidationFailed, migrator.Request{Command: "repair"}); !strings.HasPrefix(rep.Next,
		advice) {
		t.Error(rep.Next)
	}
	y.equal("database", y.snapshot(), before)

	y.write("V3__c.sql", squashedRelease()["V3__c.sql"])
	y.ok(migrator.Request{Command: "repair"})
	rep := y.ok(migrate)
	y.equal("applied", scripts(rep.Applied), "V4__d.sql")
	y.sameInfo()
}

// Flyway's own repair marks all versions as deleted when their scripts are gone,
// and then runs the B script on the tables that are there.
func TestBaselineScriptDoesNotRunOnTablesThatAreLeft(t *testing.T) {
	t.Parallel()
	y := newYard(t, squashedRelease())
	y.migrate()
	for _, name := range []string{"V1__a.sql", "V2__b.sql", "V3__c.sql"} {
		y.remove(name)
	}
	y.write("B3__all.sql", "CREATE TABLE IF NOT EXISTS a (id int); UPDATE a SET id = 0;")
	y.write("V4__d.sql", "CREATE TABLE d (id int);")
	y.flywayOK("repair")
	before := y.snapshot()
	rep := y.fails(report.ValidationFailed, migrate)
	contains(t, "message", rep.Message, "B3__all.sql would run on a database that is not new", "up to 3",
		"nothing was run")
	y.equal("database", y.snapshot(), before)

	// The way out.
	contains(t, "next", rep.Next, "V script of that version back",
		`DELETE FROM "public"."flyway_schema_history" WHERE installed_rank = 6;`)
	y.exec("DELETE FROM public.flyway_schema_history WHERE installed_rank = 6")
	y.write("V3__c.sql", squashedRelease()["V3__c.sql"])
	y.equal("applied", scripts(y.ok(migrate).Applied), "V4__d.sql")
	y.sameInfo()
}

// A revert to nothing leaves a database that is new again.
func TestBaselineScriptRunsWhereAllWasReverted(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);", "U1__a.sql": "DROP TABLE a;"})
	y.migrate()
	y.revert("0")
	y.exec("CREATE SCHEMA other; CREATE TABLE other.flyway_schema_history (a int); CREATE TABLE other.theirs (a int)")
	y.remove("U1__a.sql")
	y.write("B3__all.sql", allOfIt)
	y.equal("applied", scripts(y.ok(migrate).Applied), "B3__all.sql")
}

// Flyway would go on without what the B script stands for.
func TestScriptsThatABaselineScriptReplacedAreNotPassedOver(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);"})
	y.exec("CREATE TABLE a (id int)")
	y.ok(migrator.Request{Command: "baseline", Target: "1"})
	y.remove("V1__a.sql")
	y.write("B3__all.sql", allOfIt)
	y.write("V4__d.sql", "ALTER TABLE b ADD d int;")
	for _, command := range []string{"migrate", "validate"} {
		rep := y.fails(report.ValidationFailed, migrator.Request{Command: command})
		if rep.Script != "B3__all.sql" || !strings.Contains(rep.Problems[0].Reason, "runs on new databases only") {
			t.Errorf("%s: %+v", command, rep)
		}
	}

	// One V script is left: whether another is gone can't be known.
	y.write("V2__b.sql", "CREATE TABLE b (id int);")
	rep := y.ok(migrate)
	y.equal("applied", scripts(rep.Applied), "V2__b.sql V4__d.sql")
	if !strings.Contains(strings.Join(rep.Warnings, " "), "B3__all.sql is not run on this database") {
		t.Error(rep.Warnings)
	}
}

func TestBaselineScriptThatFailed(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"B3__all.sql": "CREATE TABLE a (id int); SELECT nothing;"})
	rep := y.fails(report.MigrationFailed, migrate)
	if rep.Script != "B3__all.sql" || rep.SQLState != "42703" {
		t.Errorf("%+v", rep.Message)
	}
	y.equal("history", y.history(), "")

	y.write("B3__all.sql.conf", "executeInTransaction=false")
	rep = y.fails(report.MigrationFailed, migrate)
	y.equal("applied", scripts(rep.Applied), "")
	if !strings.Contains(rep.Next, "ran outside a transaction") {
		t.Error(rep.Next)
	}
	y.equal("history", y.history(), "3 SQL_BASELINE failed")
	y.fails(report.PreviousFailed, migrate)
	y.ok(migrator.Request{Command: "repair"})
	y.exec("DROP TABLE a")
	y.write("B3__all.sql", allOfIt)
	y.equal("applied", scripts(y.ok(migrate).Applied), "B3__all.sql")
}

// A target below it does not keep the B script back.
func TestBaselineScriptAndTarget(t *testing.T) {
	t.Parallel()
	y := newYard(t, with(squashedRelease(), "B3__all.sql", allOfIt, "V4__d.sql", "CREATE TABLE d (id int);"))
	y.equal("applied", scripts(y.ok(migrator.Request{Command: "migrate", Target: "1"}).Applied), "B3__all.sql")
	y.equal("applied", scripts(y.ok(migrator.Request{Command: "migrate", Target: "4"}).Applied), "V4__d.sql")
}

func TestDatabaseAdoptedAtTheBaselineScriptsVersion(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"B3__all.sql": allOfIt, "V4__d.sql": "CREATE TABLE d (id int);"})
	y.exec(allOfIt)
	y.config.Baseline = "3"
	y.config.LockTimeout = 7 * time.Second
	y.write("V4__d.sql", "CREATE TABLE d AS SELECT current_setting('lock_timeout') AS limit;")
	y.equal("applied", scripts(y.ok(migrate).Applied), "V4__d.sql")
	y.equal("lock_timeout of the first script", y.text("SELECT * FROM d"), "7s")
	y.equal("history", y.history(), "3 BASELINE; 4 SQL")
	y.sameInfo()
}
