package rehearse

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// What a script does to look harmless does not change what is told of it.
func TestScriptsCanNotLie(t *testing.T) {
	for name, c := range map[string]struct {
		branch files
		want   string
	}{
		"it takes the settings back": {
			files{"V2__x.sql": "ALTER TABLE customers ALTER COLUMN age TYPE bigint;\nRESET ALL;"},
			"V2__x.sql; AccessExclusive customers; rewritten customers\n",
		},
		"it puts functions of its own before PostgreSQL's": {
			files{"V2__x.sql": `CREATE SCHEMA mine;
CREATE FUNCTION mine.pg_notify(text, text) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE TEMP TABLE pg_locks (pid int);
ALTER TABLE customers ALTER COLUMN age TYPE bigint;
SET search_path = mine, pg_catalog, public;`},
			"V2__x.sql; AccessExclusive customers; rewritten customers\n",
		},
		"it goes by another name, and fails": {
			files{"V2__x.sql": "SET application_name = 'the shop';\nLOCK TABLE orders;\nSELECT " +
				"pg_sleep(0.4);\nSELECT 1/0;"},
			"V2__x.sql failed; AccessExclusive orders\nMIGRATION_FAILED in the new scripts: V2__x.sql 22012\n",
		},
		"it leaves the rewrite to its commit": {
			files{"V2__x.sql": `CREATE TABLE later (id int);
CREATE FUNCTION rewrites() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE customers ALTER COLUMN age TYPE bigint; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON later DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION rewrites();
INSERT INTO later VALUES (1);`},
			"V2__x.sql; AccessExclusive customers; rewritten customers; later 1 inserted\n",
		},
		"it speaks on the channel that it guesses": {
			files{"V2__x.sql": `SELECT pg_notify('slipway_rehearsal', '{"k":"done"}');` +
				"\nALTER TABLE customers ALTER COLUMN age TYPE bigint;"},
			"V2__x.sql; AccessExclusive customers; rewritten customers\n",
		},
		"it looks for the channel": {
			files{"V2__x.sql": "CREATE TABLE found AS SELECT query FROM pg_stat_activity WHERE query LIKE " +
				"'%LISTEN%' AND pid <> pg_backend_pid();\nDO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM found); END $$;"},
			"V2__x.sql\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			o.Undo = false
			if got := told(rehearsed(t, o, shop, c.branch)); got != c.want {
				t.Errorf("told\n%swant\n%s", got, c.want)
			}
		})
	}
}

// Whoever knows the channel still does not know the word, and what knows both
// does not fit into the order.
func TestForgedReports(t *testing.T) {
	o := options(t)
	x := &rehearsal{Options: o, secrets: newSecrets()}
	var err error
	if x.db, err = connect(t.Context(), o.Target); err != nil {
		t.Fatal(err)
	}
	defer x.db.Close(t.Context())
	for _, payload := range []string{"{", `{"k":"done"}`, `{"nonce":"` + newSecrets().nonce + `","k":"begin"}`} {
		watched, err := x.observe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.db.Exec(t.Context(), "SELECT pg_notify($1, $2)", x.secrets.channel, payload); err != nil {
			t.Fatal(err)
		}
		for range 200 {
			watched.mu.Lock()
			err = watched.err
			watched.mu.Unlock()
			if err != nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if err := watched.end(t.Context()); !errors.Is(err, errForged) {
			t.Errorf("%s: %v", payload, err)
		}
	}
	of := func(kinds ...string) (list []message) {
		for _, k := range kinds {
			list = append(list, message{Kind: k, PID: 7})
		}
		return list
	}
	if list, err := windows(of("begin", "end", "lock", "rows", "done", "begin", "end", "done", "begin")); err != nil ||
		len(list) != 3 {
		t.Errorf("the callbacks' own: %v", err)
	}
	for _, kinds := range [][]string{{"end"}, {"begin", "begin"}, {"begin", "lock"}, {"begin", "end", "end"},
		{"begin", "end", "done", "done"},
		{"begin", "end", "done", "lock"}, {"begin", "done"}, {"begin", "surprise"}} {
		if _, err := windows(of(kinds...)); err == nil {
			t.Errorf("%v passes", kinds)
		}
	}
	if _, err := windows([]message{{Kind: "begin", PID: 7}, {Kind: "end", PID: 8}}); err == nil {
		t.Error("another session's end passes")
	}
}

// A script that never ends is ended.
func TestTheRehearsalHasALimit(t *testing.T) {
	o := options(t)
	o.Limit = 12 * time.Second
	r := rehearsed(t, o, nil, files{"V1__x.sql": "SELECT pg_sleep(600);"})
	if f := r.Failure; f == nil || f.Code != "DEADLINE" || f.Script != "V1__x.sql" ||
		!strings.Contains(f.Next, "--timeout") {
		t.Errorf("%+v", r.Failure)
	}
}

// Failures name the script, not the rehearsal's callbacks, and say where the
// throw-away server lacks what the database of a deployment may have.
func TestFailuresOfARehearsal(t *testing.T) {
	for name, c := range map[string]struct {
		script, says string
		server       bool
	}{
		"a deferred constraint": {"ALTER TABLE orders ADD CONSTRAINT later FOREIGN KEY (id) REFERENCES customers " +
			"DEFERRABLE INITIALLY DEFERRED NOT VALID;\nINSERT INTO orders SELECT 999999, customer, 'open', 1, now() " +
			"FROM orders LIMIT 1;", "at the end of the script's transaction", false},
		"a role": {"GRANT SELECT ON orders TO app_reader;", "--roles app_reader", true},
		"an event trigger": {"CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$; CREATE " +
			"EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f();", "--superuser", true},
		"an extension": {"CREATE EXTENSION postgis;", "COPY=postgres://", true},
		"rows":         {"ALTER TABLE customers ADD COLUMN needed int NOT NULL;", "DEFAULT", false},
		"pending events": {"ALTER TABLE orders ALTER CONSTRAINT orders_customer_fkey DEFERRABLE INITIALLY DEFERRED; " +
			"UPDATE orders SET customer = customer + 0 * id, id = id + 5000; INSERT INTO orders SELECT id + 100000, " +
			"customer, 'open', 1, now() FROM orders LIMIT 1; ALTER TABLE orders ADD COLUMN more int;",
			"SET CONSTRAINTS ALL IMMEDIATE", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := rehearsed(t, options(t), shop, files{"V2__x.sql": c.script})
			f := r.Failure
			if f == nil || f.Script != "V2__x.sql" || f.Server != c.server ||
				!strings.Contains(f.Message+f.Next, c.says) ||
				strings.Contains(f.Message+f.Next, "zz_slipway") || strings.Contains(f.Next, "repair") {
				t.Errorf("%+v", f)
			}
		})
	}
}

// Schemas that the settings have Flyway make are not the undo scripts' to remove.
func TestSchemasOfTheSettings(t *testing.T) {
	o := options(t)
	o.Schema = "Sales Data"
	o.Flyway.Environment["FLYWAY_DEFAULT_SCHEMA"], o.Flyway.Environment["FLYWAY_SCHEMAS"] = "Sales Data",
		"Sales Data,order"
	r := rehearsed(t, o, nil, files{"V1__t.sql": "CREATE TABLE t (id int);", "U1__t.sql": "DROP TABLE t;"})
	if got, want := told(r), "V1__t.sql\nundo U1__t.sql: restores\n"; got != want {
		t.Errorf("told\n%s%s", got, r.Undo[0].Diff)
	}
}
