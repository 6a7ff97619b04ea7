package migrator_test

import (
	"testing"

	"golang.org/x/text/encoding/unicode"

	"slipway/lambda/migrator"
)

// Scripts in another encoding, of both kinds, so that the run needs a callback
// of one's own: that one is in UTF-8.
func TestOtherEncodingWithBothKindsOfScripts(t *testing.T) {
	t.Parallel()
	wide := func(s string) string {
		text, err := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	y := newYard(t, map[string]string{
		"V1__a.sql": wide("CREATE TABLE a AS SELECT 'größe'::text AS b, current_setting('lock_timeout') AS c;"),
		"V2__i.sql": wide("CREATE INDEX CONCURRENTLY i ON a (b);"),
		"R__v.sql":  wide("CREATE OR REPLACE VIEW v AS SELECT b, c FROM a;"),
	})
	y.config.Encoding = "UTF-16LE"
	y.config.Flyway.Environment["FLYWAY_ENCODING"] = "UTF-16LE"
	y.migrate()
	y.equal("the view", y.text("SELECT * FROM v"), "größe 5s")
	if rep := y.ok(migrate); rep.FlywayVersion != "" {
		t.Error("Flyway was asked again")
	}
}

// The history can stand elsewhere and be called otherwise; Flyway makes the
// schema, and says so in a row of its own.
func TestHistoryElsewhere(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);",
		"V2__i.sql": "CREATE INDEX CONCURRENTLY i ON a (id);", "V3__b.sql": "CREATE TABLE b (id int);"})
	const schema, table = "The shop", "his Tory"
	y.exec("DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO CURRENT_USER', current_database()); END $$")
	y.config.Schema, y.config.Table = schema, table
	y.config.Flyway.Environment = map[string]string{"FLYWAY_DEFAULT_SCHEMA": schema, "FLYWAY_TABLE": table}
	rep := y.ok(migrate)
	if len(rep.Applied) != 3 || rep.SchemaVersionAfter != "3" {
		t.Errorf("applied %s", scripts(rep.Applied))
	}
	y.equal("history", y.text(`SELECT installed_rank, type FROM "The shop"."his Tory" ORDER BY 1`),
		"0 SCHEMA; 1 SQL; 2 SQL; 3 SQL")
	y.equal("tables", y.text(`SELECT count(*) FROM pg_tables WHERE schemaname = 'The shop'`), "3")
	for _, command := range []string{"migrate", "validate", "info"} {
		if rep := y.ok(migrator.Request{Command: command}); rep.FlywayVersion != "" || len(rep.Pending) > 0 {
			t.Errorf("%s: %+v", command, rep)
		}
	}
}

func TestPlaceholdersCanBeTurnedOffOrSpelledOtherwise(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a AS SELECT '${who}'::text AS b;",
		"R__v.sql": "CREATE OR REPLACE VIEW v AS SELECT '${who}'::text AS b;"})
	y.config.Flyway.Replace = false
	y.config.Flyway.Environment["FLYWAY_PLACEHOLDER_REPLACEMENT"] = "false"
	y.migrate()
	y.equal("as it stands", y.text("SELECT a.b, v.b FROM a, v"), "${who} ${who}")

	y.config.Flyway.Replace, y.config.Flyway.Prefix, y.config.Flyway.Suffix = true, "<<", ">>"
	y.config.Flyway.Environment = map[string]string{"FLYWAY_PLACEHOLDER_PREFIX": "<<",
		"FLYWAY_PLACEHOLDER_SUFFIX": ">>"}
	y.config.Flyway.Placeholders = map[string]string{"who": "me"}
	y.write("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT '<<WHO>> ${who}'::text AS b;")
	y.migrate()
	y.equal("replaced", y.text("SELECT b FROM v"), "me ${who}")
	if rep := y.ok(migrate); rep.FlywayVersion != "" {
		t.Error("Flyway was asked again")
	}
}
