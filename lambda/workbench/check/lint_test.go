package check

import (
	"strings"
	"testing"

	"slipway/lambda/proof/changetest"
)

func TestRulesOfSQL(t *testing.T) {
	squawk := linter(t)
	for name, c := range map[string]struct {
		sql  string
		also files
		want []string
	}{
		"an index without CONCURRENTLY": {
			sql:  "\n\nCREATE INDEX i ON a (id);",
			want: []string{"error require-concurrent-index-creation V3__c.sql:3"},
		},
		"an index with CONCURRENTLY, alone": {sql: "CREATE INDEX CONCURRENTLY i ON a (id);"},
		"CONCURRENTLY beside another statement": {
			sql:  "CREATE INDEX CONCURRENTLY i ON a (id);\nSELECT 1;",
			want: []string{"error mixed-script V3__c.sql"},
		},
		"two statements outside a transaction": {
			sql:  "CREATE INDEX CONCURRENTLY i ON a (id);\nDROP INDEX CONCURRENTLY j;",
			want: []string{"warning several-statements V3__c.sql"},
		},
		"a column that is NOT NULL without a default": {
			sql:  "ALTER TABLE a ADD COLUMN c text NOT NULL;",
			want: []string{"error adding-required-field V3__c.sql:1"},
		},
		"a table rewrite": {
			sql: "ALTER TABLE a ALTER COLUMN id TYPE numeric;\nVACUUM FULL a;",
			want: []string{"error changing-column-type V3__c.sql:1", "error full-rewrite V3__c.sql:2",
				"error mixed-script V3__c.sql"},
		},
		"SQL that does not parse": {
			sql:  "SELECT 1;\nCREATE TABEL x (id int);\n",
			want: []string{"error syntax-error V3__c.sql:2"},
		},
		"SQL that does not parse, waived": {
			sql: "-- slipway:allow-file syntax-error because the linter lags behind the server\nSELECT 1;\nCREATE " +
				"TABEL x (id int);\n",
			want: []string{"waived syntax-error V3__c.sql:3"},
		},
		"a transaction of its own": {
			sql:  "BEGIN;\nINSERT INTO a VALUES (1);\nCOMMIT;",
			want: []string{"error transaction-control V3__c.sql:1", "error transaction-control V3__c.sql:3"},
		},
		"a transaction of its own, outside one": {
			sql:  "BEGIN;\nINSERT INTO a VALUES (1);\nCOMMIT;",
			also: files{"V3__c.sql.conf": "executeInTransaction=false\n"},
			want: []string{"warning several-statements V3__c.sql"},
		},
		"a dump by psql's rules": {
			sql:  "\\restrict abc\nSELECT 1;\n\\unrestrict abc\n",
			want: []string{"error psql-command V3__c.sql:1", "error psql-command V3__c.sql:3"},
		},
		"data without an end": {sql: "COPY a (id) FROM stdin;\n1\n", want: []string{"error copy-data V3__c.sql:1"}},
		"a parameter in a body": {
			sql:  "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql\nBEGIN ATOMIC\n SELECT $1;\nEND;",
			want: []string{"error flyway-reads-otherwise V3__c.sql:3"},
		},
		"the history in a dump": {
			sql: "ALTER TABLE public.flyway_schema_history OWNER TO me;\nCREATE TABLE old.flyway_schema_history " +
				"(id bigint);",
			want: []string{"error history-table V3__c.sql:1"},
		},
		"reindexing without a word to Flyway": {
			sql:  "REINDEX (VERBOSE) TABLE CONCURRENTLY a;",
			want: []string{"error needs-conf V3__c.sql:1"},
		},
		"what the session would not survive": {sql: "DISCARD ALL;", want: []string{"error breaks-session V3__c.sql:1"}},
		"a placeholder behind a dollar": {
			sql:  "INSERT INTO a VALUES ($q$${env}$q$);",
			want: []string{"warning placeholder-kept V3__c.sql:1"},
		},
		"one finding for a foreign key": {
			sql:  "ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES b (id);",
			want: []string{"error adding-foreign-key-constraint V3__c.sql:1"},
		},
		"a table of the same script": {sql: "CREATE TABLE n (id bigint);\nCREATE INDEX i ON n (id);"},
		"a table of another new script": {
			sql:  "CREATE INDEX i ON public.N (id);\nALTER TABLE ONLY n ADD CONSTRAINT u UNIQUE (id);",
			also: files{"V2.5__n.sql": "CREATE TABLE n (id bigint);"},
			want: []string{"note require-concurrent-index-creation V3__c.sql:1",
				"note disallowed-unique-constraint V3__c.sql:2"},
		},
		"a table that may have been there": {
			sql:  "CREATE INDEX i ON n (id);",
			also: files{"V2.5__n.sql": "CREATE TABLE IF NOT EXISTS n (id bigint);"},
			want: []string{"error require-concurrent-index-creation V3__c.sql:1"},
		},
		"waivers above, in, behind and far from a statement": {
			sql: "-- slipway:allow ban-drop-table because nothing reads it\nDROP TABLE a;\n" +
				"DROP TABLE b; -- slipway:allow ban-drop-table because of the same\n" +
				"DROP TABLE -- squawk-ignore ban-drop-table because it is empty\n c;\n" +
				"DROP TABLE d;\n",
			want: []string{"waived ban-drop-table V3__c.sql:2", "waived ban-drop-table V3__c.sql:3",
				"waived ban-drop-table V3__c.sql:4", "error ban-drop-table V3__c.sql:6"},
		},
		"squawk's own comments need a reason as well": {
			sql: "-- squawk-ignore ban-drop-table\nDROP TABLE a;\n-- squawk-ignore-file\n-- " +
				"squawk-disable-assume-in-transaction\nSELECT 1;",
			want: []string{
				"error ban-drop-table V3__c.sql:2", "error waiver-without-reason V3__c.sql:1",
				"error waiver-without-reason V3__c.sql:3",
			},
		},
		"a waiver for nothing": {
			sql:  "-- slipway:allow ban-drop-table because we did once\nSELECT 1;",
			want: []string{"note unused-waiver V3__c.sql:1"},
		},
		"placeholders keep the lines": {
			sql: "GRANT SELECT ON a TO ${reader};\nSELECT '${a\nb}', ${dsn};\nALTER SCHEMA ${schema} OWNER TO " +
				"${owner};\nDROP TABLE ${old};",
			want: []string{"error ban-drop-table V3__c.sql:5"},
		},
		"data of COPY": {
			sql:  "COPY a FROM STDIN;\n1\tDROP TABLE a; it's\n\xc2\xb4\\N;\n\\.\n\nDROP TABLE b;\n",
			want: []string{"error ban-drop-table V3__c.sql:6"},
		},
		"undo scripts and callbacks have to parse": {
			sql:  "SELECT 1;",
			also: files{"U3__c.sql": "DROP TABLE a;", "beforeMigrate.sql": "SELEC 1;"},
			want: []string{"error syntax-error beforeMigrate.sql:1"},
		},
		"a .conf file turns the transaction off": {
			sql:  "CREATE TABLE n (id bigint);\nCREATE INDEX i ON n (id);",
			also: files{"V3__c.sql.conf": "executeInTransaction=false"},
			want: []string{"note require-concurrent-index-creation V3__c.sql:2",
				"warning several-statements V3__c.sql"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			work := with(c.also)
			work["V3__c.sql"] = c.sql
			if strings.HasPrefix(name, "undo") {
				work = with(files{"V3__c.sql": c.sql, "U3__c.sql": c.also["U3__c.sql"],
					"beforeMigrate.sql": c.also["beforeMigrate.sql"]})
			}
			options := Options{Linter: squawk, Batch: 1, Replace: true, Placeholders: map[string]string{"env": "test"}}
			expect(t, run(t, changetest.Branch(t, base, work, nil), options), c.want...)
		})
	}
}

func TestOnlyNewScriptsAreLinted(t *testing.T) {
	squawk := linter(t)
	old := with(files{"V3__c.sql": "DROP TABLE a;"})
	folder := changetest.Branch(t, old, old, nil)
	expect(t, run(t, folder, Options{Linter: squawk}))
	expect(t, run(t, folder, Options{Linter: squawk, All: true}), "error ban-drop-table V3__c.sql:1")
	expect(t, run(t, folder, Options{Linter: squawk, All: true, WithoutRules: []string{"ban-drop-table"}}))
}
