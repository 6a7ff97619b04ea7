package migrator_test

import (
	"strings"
	"testing"

	"slipway/lambda/report"
)

// A deferred constraint fails at the end of its script, with the role and the
// search path that the script left.
func TestADeferredConstraintFailsAtTheEndOfItsScript(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{
		"V1__a.sql": "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int REFERENCES a DEFERRABLE INITIALLY " +
			"DEFERRED);",
		"V2__b.sql": "INSERT INTO b VALUES (1);\nCREATE TABLE c (id int);",
	})
	rep := y.fails(report.MigrationFailed, migrate)
	if rep.SQLState != "23503" || scripts(rep.Applied) != "V1__a.sql" || strings.Contains(rep.Message, "slipway") ||
		strings.HasPrefix(rep.Script, "/") {
		t.Errorf("%s %q %q %q", rep.SQLState, rep.Script, rep.Message, rep.Next)
	}
	y.write("V2__b.sql", `CREATE SCHEMA app;
CREATE TABLE app.log (id int);
CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES (NEW.id); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER note AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.note();
CREATE TEMP TABLE t (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);
INSERT INTO t VALUES (1), (2);
INSERT INTO a VALUES (7);
SET search_path = app;`)
	y.ok(migrate)
	y.equal("what the deferred trigger did", y.text("SELECT id FROM app.log"), "7")
}
