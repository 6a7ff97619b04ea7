package migrator_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

const backfill = "CREATE PROCEDURE backfill() LANGUAGE plpgsql AS $$ BEGIN\n" +
	"WHILE EXISTS (SELECT FROM a WHERE done IS NULL) LOOP\n" +
	"UPDATE a SET done = 1 WHERE id IN (SELECT id FROM a WHERE done IS NULL LIMIT 4); COMMIT; PERFORM pg_sleep(1.2);\n" +
	"END LOOP; END $$;"

// The next step fits the error and what became of the script, with the real
// Flyway: what the report says of rows and history is what stands there.
func TestNextSteps(t *testing.T) {
	t.Parallel()
	databases := pool(t)
	const setup = `DROP TABLE IF EXISTS a, parents, kids, logs CASCADE; DROP TYPE IF EXISTS state; DROP PROCEDURE IF EXISTS backfill;
		CREATE TABLE a (id int, done int); INSERT INTO a SELECT generate_series(1, 40); CREATE TYPE state AS ENUM ('new');
		CREATE TABLE parents (id int PRIMARY KEY); CREATE TABLE kids (id int, parent int REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
		INSERT INTO parents VALUES (1), (2); INSERT INTO kids VALUES (1, 1);
		CREATE TABLE logs (at date) PARTITION BY RANGE (at); CREATE TABLE logs_1 PARTITION OF logs DEFAULT;`
	for name, c := range map[string]struct {
		text, conf string
		code       report.Code
		state      string
		says       []string
		not        string
	}{
		"a procedure that commits": {"CALL backfill();", "", report.MigrationFailed, "2D000",
			[]string{"executeInTransaction=false into V2__x.sql.conf", "what the script did was rolled back"},
			"Correct the script"},
		"a new value of an enum": {"ALTER TYPE state ADD VALUE 'b';\nCREATE TABLE e AS SELECT 'b'::state;", "",
			report.MigrationFailed, "55P04",
			[]string{"into an earlier script", "rolled back"}, "Correct the script"},
		"pending trigger events": {"UPDATE kids SET parent = 2;\nALTER TABLE kids ADD COLUMN more int;", "",
			report.MigrationFailed, "55006",
			[]string{"SET CONSTRAINTS ALL IMMEDIATE;", "kids"}, "Correct the script"},
		"a deferred constraint": {"INSERT INTO kids VALUES (2, 99);", "", report.MigrationFailed, "23503",
			[]string{"at the end of the script's transaction", "deferred", "rolled back"}, "callback"},
		"a partitioned index": {"CREATE INDEX CONCURRENTLY logs_at ON logs (at);", "", report.MigrationFailed, "0A000",
			[]string{"ON ONLY logs", "ATTACH PARTITION", "its one statement left nothing", "slipway repair"}, "half"},
		"several outside a transaction": {"INSERT INTO a VALUES (0);\nSELECT 1/0;", "executeInTransaction=false",
			report.MigrationFailed, "22012",
			[]string{"what it did before stays", "slipway repair"}, "rolled back"},
		"one outside a transaction": {"ALTER TABLE nowhere ADD COLUMN x int;", "executeInTransaction=false",
			report.MigrationFailed, "42P01",
			[]string{"left nothing", "slipway repair"}, "rolled back"},
		"its own limit": {"SET statement_timeout = 50;\nSELECT pg_sleep(5);", "", report.MigrationFailed, "57014",
			[]string{"sets statement_timeout itself", "rolled back"}, ""},
		"its own end": {"SELECT pg_terminate_backend(pg_backend_pid());", "", report.MigrationFailed, "57P01",
			[]string{"pid <> pg_backend_pid()"}, "server takes connections"},
		"syntax": {"CREATE TABEL t (id int);", "", report.MigrationFailed, "42601",
			[]string{"Correct the script. Then run again: what the script did was rolled back."}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{files: map[string]string{"V1__ok.sql": "SELECT 1;", "V2__x.sql": c.text,
				"V3__never.sql": "SELECT 3;"}}
			if c.conf != "" {
				w.files["V2__x.sql.conf"] = c.conf
			}
			y := w.yard(t, databases)
			y.exec(setup + backfill)
			y.config.Baseline = "0"
			rep := y.run(t.Context(), migrate)
			text := rep.Message + "\n" + rep.Next
			if rep.Code != c.code || rep.Script != "V2__x.sql" || rep.SQLState != c.state || c.not != "" &&
				strings.Contains(text, c.not) {
				t.Errorf("%s in %s (%s): %s", rep.Code, rep.Script, rep.SQLState, text)
			}
			contains(t, "the report", text, c.says...)
		})
	}
}

// A limit of the database ends the script; the report names it and how to lift it, and that works.
func TestLimitsOfTheDatabase(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ setting, value, state, script string }{
		"transaction_timeout": {"transaction_timeout", "700ms", "25P04",
			"SELECT pg_sleep(0.5);\nSELECT pg_sleep(0.5);\nSELECT pg_sleep(0.5);"},
		"read only": {"default_transaction_read_only", "on", "25006", "CREATE TABLE b (id int);"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);", "U2__b.sql": c.script})
			y.migrate()
			y.write("V2__b.sql", c.script)
			y.exec("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET " + c.setting + " = ''" + c.value +
				"''', current_database()); END $$")
			rep := y.fails(report.MigrationFailed, migrate)
			if rep.SQLState != c.state || rep.Script != "V2__b.sql" {
				t.Errorf("%s in %q: %s", rep.SQLState, rep.Script, rep.Message)
			}
			contains(t, "next", rep.Next, c.setting+" is "+c.value+" (set for the database)",
				"ALTER ROLE tester IN DATABASE")
			lift := rep.Next[strings.Index(rep.Next, "ALTER ROLE"):]
			lift, _, _ = strings.Cut(lift, ";")
			db := y.connect()
			for _, statement := range []string{"SET default_transaction_read_only = off", lift} {
				if _, err := db.Exec(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			y.ok(migrate)
			if c.state != "25P04" {
				return
			}
			y.exec(strings.Replace(lift, "= 0", "= '"+c.value+"'", 1))
			rep = y.fails(report.MigrationFailed, migrator.Request{Command: "revert", Steps: 1})
			contains(t, "revert", rep.Next, c.setting+" is "+c.value+" (set for the role in this database)",
				"revert again")
		})
	}
}

// A backfill that is made to go on is cut off by the deadline: the next step
// is the one that goes on, and it does.
func TestBackfillThatIsCutOff(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{
		"V1__a.sql": "CREATE TABLE a (id int, done int); INSERT INTO a SELECT generate_series(1, 40);\n" + backfill,
	})
	y.migrate()
	y.write("V2__b.sql", "CALL backfill();")
	y.write("V2__b.sql.conf", "executeInTransaction=false")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	rep := y.run(ctx, migrate)
	if rep.Code != report.Deadline || rep.Script != "V2__b.sql" {
		t.Fatalf("%s in %s: %s", rep.Code, rep.Script, rep.Message)
	}
	contains(t, "next", rep.Next, "Some of what the script did stays", "made to go on", "`slipway repair`",
		"raise the limit")
	if strings.Contains(rep.Next, "it goes on where it stopped") || strings.Contains(rep.Next, "emove") {
		t.Errorf("next: %s", rep.Next)
	}
	rep = y.fails(report.PreviousFailed, migrate)
	contains(t, "the run after it", rep.Next, "made to go on", "`slipway repair`")
	y.ok(migrator.Request{Command: "repair"})
	y.ok(migrate)
	y.equal("left", y.text("SELECT count(*) FROM a WHERE done IS NULL"), "0")
}

// Only an index that the failed script left is named, not those of others.
func TestInvalidIndexesOfOthersAreNotNamed(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int); INSERT INTO a VALUES (1), (1); CREATE " +
		"TABLE p (id int) PARTITION BY LIST (id);CREATE TABLE p1 PARTITION OF p DEFAULT; CREATE INDEX p_id ON ONLY " +
		"p (id);"})
	y.migrate()
	db := y.connect()
	if _, err := db.Exec(t.Context(), "CREATE UNIQUE INDEX CONCURRENTLY theirs ON a (id)"); err == nil {
		t.Fatal("it is valid")
	}
	y.write("V2__i.sql", "CREATE UNIQUE INDEX CONCURRENTLY ours ON a (id);")
	for _, code := range []report.Code{report.MigrationFailed, report.PreviousFailed} {
		rep := y.fails(code, migrate)
		contains(t, "next", rep.Next, "DROP INDEX CONCURRENTLY public.ours;")
		if strings.Contains(rep.Next, "theirs") || strings.Contains(rep.Next, "p_id") {
			t.Errorf("%s: %s", code, rep.Next)
		}
	}
}
