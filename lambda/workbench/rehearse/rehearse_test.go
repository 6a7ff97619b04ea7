package rehearse

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/flyway"
	"slipway/lambda/proof/pgtest"
	"slipway/lambda/settings"
	"slipway/lambda/workbench/change"
	"slipway/lambda/workbench/distribution"
	"slipway/lambda/workbench/postgres"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

type files = map[string]string

var installation = sync.OnceValues(func() (flyway.Installation, error) {
	dir, err := distribution.DefaultDir()
	if err != nil {
		return flyway.Installation{}, err
	}
	cache := &distribution.Cache{Dir: dir, Mirror: os.Getenv("SLIPWAY_MAVEN_MIRROR"), Progress: os.Stderr}
	home, err := cache.Flyway(context.Background())
	if err != nil {
		return flyway.Installation{}, err
	}
	javaHome, err := cache.Java(context.Background(), os.Getenv("JAVA_HOME"))
	if err != nil {
		return flyway.Installation{}, err
	}
	java, err := flyway.FindJava(javaHome, exec.LookPath)
	return flyway.Installation{Home: home, Java: java}, err
})

// options are those of a database of the test's own.
func options(t testing.TB) Options {
	t.Helper()
	found, err := installation()
	if err != nil {
		t.Fatal(err)
	}
	server := pgtest.Server(t)
	name := strings.TrimPrefix(strings.Split(strings.SplitN(pgtest.NewDatabase(t), "//", 2)[1], "?")[0], "")
	name = name[strings.LastIndex(name, "/")+1:]
	target := database.Target{Host: "127.0.0.1", Port: server.Port, Name: name, User: pgtest.User,
		Password: pgtest.Password, TLS: database.TLS{Insecure: true}}
	admin := target
	admin.User, admin.Password = postgres.Superuser, database.Password(server.Password())
	return Options{
		Target: target, Admin: admin, Installation: found, Rows: 1000, Undo: true, LockTimeout: 5 * time.Second,
		Flyway: settings.Flyway{Environment: map[string]string{}, Placeholders: map[string]string{"env": "test"},
			Replace: true, Prefix: "${", Suffix: "}"},
		Log:      slog.New(slog.DiscardHandler),
		Progress: t.Logf,
	}
}

// changeOf is a branch that adds and replaces files of a target branch; an
// empty text deletes one.
func changeOf(base, branch files) *change.Change {
	work := files{}
	for name, text := range base {
		work[name] = text
	}
	for name, text := range branch {
		if work[name] = text; text == "" {
			delete(work, name)
		}
	}
	tip := change.FromTexts(base)
	return &change.Change{Against: "master", Base: tip, Tip: tip, Work: change.FromTexts(work)}
}

func rehearsed(t testing.TB, o Options, base, branch files) *Report {
	t.Helper()
	r, err := Run(t.Context(), changeOf(base, branch), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Warnings) > 0 {
		t.Errorf("warnings: %q", r.Warnings)
	}
	return r
}

// told is what a report says of its scripts, without durations.
func told(r *Report) string {
	var b strings.Builder
	for _, s := range r.Scripts {
		fmt.Fprintf(&b, "%s", s.Script)
		if !s.Transaction {
			b.WriteString(" outside")
		}
		if s.Failed {
			b.WriteString(" failed")
		}
		for _, l := range s.Locks {
			fmt.Fprintf(&b, "; %s %s", strings.TrimSuffix(l.Mode, "Lock"), l.Table)
		}
		for _, t := range s.Rewritten {
			b.WriteString("; rewritten " + t)
		}
		for _, t := range s.Emptied {
			b.WriteString("; emptied " + t)
		}
		for _, n := range s.Rows {
			b.WriteString("; " + n.Table + " " + n.Text())
		}
		b.WriteString("\n")
	}
	for _, u := range r.Undo {
		fmt.Fprintf(&b, "undo %s: %s\n", u.Script,
			cmp.Or(u.Skipped, map[bool]string{true: "restores", false: "differs"}[u.Restores]))
	}
	if f := r.Failure; f != nil {
		fmt.Fprintf(&b, "%s in %s: %s %s\n", f.Code, f.Where, f.Script, f.SQLState)
	}
	return b.String()
}

var shop = files{
	"V1__shop.sql": `CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(20) NOT NULL, age int);
CREATE TYPE state AS ENUM ('open', 'done');
CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint NOT NULL REFERENCES customers, state state NOT NULL, price numeric(4,2) CHECK (price >= 0), at timestamptz NOT NULL);`,
	"R__totals.sql": "CREATE OR REPLACE VIEW totals AS SELECT customer, sum(price) AS total FROM orders GROUP BY " +
		"customer;",
}

// A script and an undo script that fail are shown at the place.
func TestFailuresShowTheScript(t *testing.T) {
	for name, c := range map[string]struct {
		branch files
		want   []string
	}{
		"a script": {files{"V2__x.sql": "SELECT '${env}',\n  nothing;"},
			[]string{"  1 | SELECT '${env}',", "> 2 |   nothing;", "    |   ^"}},
		"an undo script": {
			files{"V2__x.sql": "SELECT 1;", "U2__x.sql": "SELECT 1;\nDROP INDEX ia;"},
			[]string{"      > 2 | DROP INDEX ia;"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if err := rehearsed(t, options(t), nil, c.branch).WriteText(&out, false); err != nil {
				t.Fatal(err)
			}
			if want := "\n" + strings.Join(c.want, "\n") + "\n"; !strings.Contains(out.String(), want) {
				t.Errorf("it lacks %q:\n%s", want, out.String())
			}
		})
	}
}

// What a script sets for its session does not mislead the callbacks.
func TestScriptsThatChangeTheirSession(t *testing.T) {
	o := options(t)
	o.Undo = false
	r := rehearsed(t, o, shop, files{
		"V2__a.sql": "SET timezone = 'Asia/Tokyo'; SET search_path = ''; ALTER TABLE public.customers ADD COLUMN a " +
			"text;",
	})
	if got, want := told(r), "V2__a.sql; AccessExclusive customers\n"; got != want {
		t.Errorf("told\n%s", got)
	}
}

func TestWhatScriptsDo(t *testing.T) {
	for name, c := range map[string]struct {
		branch files
		want   string
	}{
		"a rewrite of a filled table": {
			files{"V2__age.sql": "ALTER TABLE customers ALTER COLUMN age TYPE bigint;",
				"U2__age.sql": "ALTER TABLE customers ALTER COLUMN age TYPE int;"},
			"V2__age.sql; AccessExclusive customers; rewritten customers\nundo U2__age.sql: restores\n",
		},
		"an index without and one with CONCURRENTLY": {
			files{"V2__i.sql": "CREATE INDEX i ON orders (at);",
				"V3__j.sql": "CREATE INDEX CONCURRENTLY j ON orders (state);"},
			"V2__i.sql; Share orders\nV3__j.sql outside; ShareUpdateExclusive orders\nundo V3__j.sql: has no undo " +
				"script, so older ones can't be tried either\n",
		},
		"a NOT NULL column without default on a filled table": {
			files{"V2__a.sql": "UPDATE orders SET price = 1;",
				"V3__c.sql": "ALTER TABLE customers ADD COLUMN born date;\nSELECT pg_sleep(0.2);\nALTER TABLE " +
					"customers ADD COLUMN mail text NOT NULL;"},
			"V2__a.sql; RowExclusive orders; orders 1,000 updated\nV3__c.sql failed; AccessExclusive " +
				"customers\nMIGRATION_FAILED in the new scripts: V3__c.sql 23502\n",
		},
		"rows and an emptied table": {
			files{"V2__rows.sql": "TRUNCATE orders;\nDELETE FROM customers WHERE id <= 10;\nUPDATE customers SET " +
				"age = 1 WHERE id <= 30;\nCREATE TABLE log (t text);\nINSERT INTO log SELECT g FROM " +
				"generate_series(1, 1500) g;"},
			"V2__rows.sql; AccessExclusive orders; RowExclusive customers; emptied orders; customers 20 updated, 10 " +
				"deleted; log 1,500 inserted\nundo V2__rows.sql: has no undo script, so older ones can't be tried " +
				"either\n",
		},
		"rows and a rewrite outside a transaction": {
			files{"V2__x.sql": "DELETE FROM orders WHERE id <= 7;", "V2__x.sql.conf": "executeInTransaction=false",
				"V3__y.sql": "VACUUM FULL customers;"},
			"V2__x.sql outside; orders 7 deleted\nV3__y.sql outside; AccessExclusive customers; rewritten " +
				"customers\nundo V3__y.sql: has no undo script, so older ones can't be tried either\n",
		},
		"a foreign key locks both tables": {
			files{"V2__t.sql": "CREATE TABLE t (id bigint PRIMARY KEY, o bigint REFERENCES orders);",
				"U2__t.sql": "DROP TABLE t;"},
			"V2__t.sql; ShareRowExclusive orders\nundo U2__t.sql: restores\n",
		},
		"a repeatable script and a version, undone": {
			files{
				"V2__tax.sql": "DROP VIEW totals;\nALTER TABLE orders ADD COLUMN tax numeric;",
				"U2__tax.sql": "DROP VIEW IF EXISTS totals;\nALTER TABLE orders DROP COLUMN tax;",
				"R__totals.sql": "CREATE OR REPLACE VIEW totals AS SELECT customer, sum(price + tax) AS total FROM " +
					"orders GROUP BY customer;",
			},
			"V2__tax.sql; AccessExclusive orders; AccessExclusive totals\nR__totals.sql; AccessShare orders\nundo " +
				"U2__tax.sql: differs\n",
		},
		"undo scripts: one that restores, above one that does not": {
			files{
				"V2__a.sql": "ALTER TABLE customers ADD COLUMN a text; CREATE INDEX ia ON customers (a);",
				"U2__a.sql": "DROP INDEX ia;",
				"V3__b.sql": "ALTER TABLE customers ADD COLUMN b text;",
				"U3__b.sql": "ALTER TABLE customers DROP COLUMN b;",
			},
			"V2__a.sql; AccessExclusive customers\nV3__b.sql; AccessExclusive customers\nundo U3__b.sql: " +
				"restores\nundo U2__a.sql: differs\n",
		},
		"an undo script that fails": {
			files{"V2__a.sql": "ALTER TABLE customers ADD COLUMN a text;", "U2__a.sql": "\nDROP INDEX ia;"},
			"V2__a.sql; AccessExclusive customers\nundo U2__a.sql: differs\n",
		},
		"an edited script": {
			files{"V1__shop.sql": "SELECT 1;"}, "VALIDATION_FAILED in the new scripts: V1__shop.sql \n",
		},
		"a deleted script": {
			files{"V1__shop.sql": "", "V2__a.sql": "SELECT 1;"},
			"VALIDATION_FAILED in the new scripts: V1__shop.sql \n",
		},
		"a colliding version": {
			files{"V01__other.sql": "SELECT 1;"}, "BAD_RELEASE in the new scripts: V1__shop.sql \n",
		},
		"nothing new": {files{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := rehearsed(t, options(t), shop, c.branch)
			// A short lock outside a transaction may or may not fall on a sample.
			if got := strings.Replace(told(r), "outside; RowExclusive orders", "outside", 1); got != c.want {
				var out strings.Builder
				_ = r.WriteText(&out, false)
				t.Errorf("told\n%swant\n%s\n%s", got, c.want, out.String())
			}
		})
	}
}
