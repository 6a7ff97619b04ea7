package migrator_test

import (
	"strings"
	"testing"

	"slipway/lambda/migrator"
	"slipway/lambda/plan"
	"slipway/lambda/report"
)

// reader has the program only read.
func (y *yard) reader() *yard {
	y.config.ReadOnly = true
	return y
}

// release that does harm wherever Flyway is started: each callback turns a
// read-only session off, and makes a table.
func harmful(events ...string) map[string]string {
	files := release("1")
	for _, event := range events {
		files[event+".sql"] = "SET default_transaction_read_only = off;\nSET transaction_read_only = off;\n" +
			"CREATE TABLE IF NOT EXISTS planted_" + strings.ToLower(event) + " (id int);"
	}
	return files
}

func (y *yard) planted() string {
	y.Helper()
	return y.text("SELECT count(*) FROM pg_class WHERE relname LIKE 'planted%'")
}

func TestReadingRunsNoCallback(t *testing.T) {
	t.Parallel()
	events := []string{"afterConnect", "createSchema", "beforeConnect", "beforeInfo", "afterInfo", "afterInfoError",
		"afterInfoOperationFinish",
		"beforeValidate", "afterValidate", "afterValidateError", "beforeMigrate"}
	y := newYard(t, harmful(events...))
	y.exec(world{rows: applied("1")}.insert())
	y.reader().config.FastPath = false // no setting starts Flyway
	for command, want := range map[string]int{"info": 5, "validate": 5} {
		rep := y.ok(migrator.Request{Command: command})
		said := strings.Join(rep.Undecided, "\n")
		if rep.FlywayVersion != "" || len(rep.Undecided) < want ||
			!strings.Contains(said, "the callback afterConnect.sql") || strings.Contains(said, "Migrate") {
			t.Errorf("%s: Flyway %q, undecided %q", command, rep.FlywayVersion, rep.Undecided)
		}
	}
	y.equal("tables that a callback made", y.planted(), "0")

	// The same release, where Flyway is started.
	y.config.ReadOnly = false
	y.ok(migrator.Request{Command: "info"})
	if y.planted() == "0" {
		t.Error("no callback does harm, so that the test shows nothing")
	}
}

// The refusal comes before the secret is read and the database is called.
func TestReadingRefusesWhatChanges(t *testing.T) {
	t.Parallel()
	y := newYard(t, release("1")).reader()
	for _, req := range []migrator.Request{
		migrate, {Command: "migrate", WaitForLock: true}, {Command: "migrate", Target: "1"}, {Command: "repair"},
		{Command: "repair", Checksums: map[string]plan.NewChecksum{}}, {Command: "baseline"},
		{Command: "baseline", Target: "1"},
		{Command: "revert", To: "0"}, {Command: "revert", Steps: 1, From: "1"},
	} {
		m := y.migrator()
		m.Secrets = nil
		rep, _ := m.Run(t.Context(), req)
		if rep.Code != report.BadRequest || !strings.Contains(rep.Message, req.Command+" changes the database") ||
			!strings.Contains(rep.Next, "FunctionName") {
			t.Errorf("%+v: %s %s %s", req, rep.Code, rep.Message, rep.Next)
		}
	}
	y.equal("the history's table", y.text("SELECT to_regclass('flyway_schema_history') IS NULL"), "true")
}

// A plan of a revert only reads, and runs no undo script.
func TestReadingPlansARevert(t *testing.T) {
	t.Parallel()
	y := newYard(t, with(release("1", "2"), "U2__a.sql", "CREATE TABLE planted (id int);"))
	y.exec(world{rows: applied("1", "2")}.insert())
	y.config.Protected = true
	rep := y.reader().ok(migrator.Request{Command: "revert", To: "1", DryRun: true})
	if len(rep.Reverted) != 1 || !rep.DryRun {
		t.Errorf("%+v", rep)
	}
	y.equal("tables", y.planted(), "0")
}

// No run lock is needed: a migration that works at the same time is no hindrance.
func TestReadingWaitsForNobody(t *testing.T) {
	t.Parallel()
	y := newYard(t, with(release("1"), "V2__slow.sql", "CREATE TABLE slow (id int);\nSELECT pg_sleep(2);"))
	done := make(chan struct{})
	go func() { defer close(done); _, _ = y.migrator().Run(t.Context(), migrate) }()
	y.await("the script runs", "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND "+
		"query LIKE '%pg_sleep(2)%' AND pid <> pg_backend_pid())")
	m := y.migrator()
	m.Config.ReadOnly, m.Config.LockWait = true, 0
	if rep, _ := m.Run(t.Context(), migrator.Request{Command: "info"}); !rep.OK() ||
		scripts(rep.Pending) != "V2__slow.sql" {
		t.Errorf("%+v", rep)
	}
	<-done
}

// The session itself is read-only: a history that is a view over a function
// that writes is not read.
func TestReadingWritesNothingEvenByTheHistory(t *testing.T) {
	t.Parallel()
	y := newYard(t, release("1")).reader()
	y.exec(world{rows: applied("1")}.insert())
	y.exec(`ALTER TABLE flyway_schema_history RENAME TO real_history; CREATE TABLE planted (id int);
		CREATE FUNCTION noted() RETURNS SETOF real_history LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.planted VALUES (1); RETURN QUERY SELECT * FROM public.real_history; END $$;
		CREATE VIEW flyway_schema_history AS SELECT * FROM noted()`)
	if rep := y.run(t.Context(), migrator.Request{Command: "info"}); rep.OK() || rep.Code == report.Internal ||
		!strings.Contains(rep.Message, "read-only") {
		t.Errorf("%s: %s", rep.Code, rep.Message)
	}
	y.equal("rows written", y.text("SELECT count(*) FROM planted"), "0")

	// One that finds no table of its own is there all the same.
	y.exec("CREATE OR REPLACE FUNCTION noted() RETURNS SETOF real_history LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY " +
		"SELECT * FROM real_history; END $$")
	if rep := y.run(t.Context(), migrator.Request{Command: "info"}); rep.OK() || rep.Code == report.Internal {
		t.Errorf("%s: %s", rep.Code, rep.Message)
	}
}

// What only Flyway could tell of a repeatable script is said of that script: it
// is neither pending nor up to date.
func TestReadingLeavesUndecided(t *testing.T) {
	t.Parallel()
	y := newYard(t, with(release("1"), "R__same.sql", "SELECT '${flyway:filename}';", "R__sure.sql", "SELECT 1;",
		"R__new.sql", "SELECT '${flyway:filename}';"))
	y.exec(world{rows: append(applied("1"), sql("", "same", "SELECT 'R__same.sql';"),
		sql("", "sure", "SELECT 0;"))}.insert())
	rep := y.reader().ok(migrator.Request{Command: "info"})
	states := ""
	for _, s := range rep.Scripts {
		states += s.Script + " " + s.State + "; "
	}
	y.equal("states", states, "V1__a.sql Success; R__same.sql Undecided; R__sure.sql Outdated; R__new.sql Pending; "+
		"R__sure.sql Pending; ")
	y.equal("pending", scripts(rep.Pending), "R__new.sql R__sure.sql")
	if !strings.Contains(strings.Join(rep.Undecided, "\n"), "R__same.sql") {
		t.Errorf("undecided: %q", rep.Undecided)
	}
	var text strings.Builder
	if err := rep.WriteText(&text, false); err != nil ||
		!strings.Contains(text.String(), "2 applied, 2 pending, 1 of the applied undecided") ||
		!strings.Contains(text.String(), "undecided: only Flyway can tell") {
		t.Errorf("%v\n%s", err, &text)
	}

	y.remove("R__new.sql")
	y.write("R__sure.sql", "SELECT 0;")
	if rep := y.ok(migrator.Request{Command: "info"}); rep.InfoExit() != 3 {
		t.Errorf("something may be pending, and the exit code is %d", rep.InfoExit())
	}
	text.Reset()
	rep = y.ok(migrator.Request{Command: "validate"})
	if err := rep.WriteText(&text, false); err != nil || strings.Contains(text.String(), "agree") ||
		!strings.Contains(text.String(), "undecided") {
		t.Errorf("%v\n%s", err, &text)
	}
	y.write("V1__a.sql", "SELECT 2;")
	if rep := y.fails(report.ValidationFailed, migrator.Request{Command: "validate"}); len(rep.Undecided) == 0 {
		t.Errorf("%+v", rep)
	}
}

// Rows that Flyway does not know are named, and start nothing.
func TestReadingOddRows(t *testing.T) {
	t.Parallel()
	y := newYard(t, release("1"))
	y.exec(world{rows: append(applied("1"), row{"2", "j", "JDBC", "", false},
		row{"", "p", "PYTHON", "", false})}.insert())
	rep := y.reader().run(t.Context(), migrator.Request{Command: "info"})
	if rep.Code == report.Internal || rep.FlywayVersion != "" || len(rep.Undecided)+len(rep.Problems) == 0 {
		t.Errorf("%s, Flyway %q, undecided %q: %s", rep.Code, rep.FlywayVersion, rep.Undecided, rep.Message)
	}
}
