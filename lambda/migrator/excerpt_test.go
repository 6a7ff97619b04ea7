package migrator_test

import (
	"fmt"
	"strings"
	"testing"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

// What Flyway and PostgreSQL say of a failure is found in the script's own text:
// the statement's lines, with a caret where PostgreSQL names a character.
func TestFailuresShowTheScript(t *testing.T) {
	t.Parallel()
	databases := pool(t)
	for name, c := range map[string]struct{ text, want string }{
		"syntax": {"CREATE TABLE t1 (id int);\n-- ü\nCREATE TABEL t2 (\n  id int\n);\nSELECT 1;\n",
			"> 3 | CREATE TABEL t2 (\n    |        ^\n  4 |   id int\n  5 | );"},
		"comments before it": {"/* of\ntwo lines */ -- and one\n  /* more */ SELECT 1,\n\t'ä', nothing;",
			"  3 |   /* more */ SELECT 1,\n> 4 |     'ä', nothing;\n    |          ^"},
		"comment in it": {"SELECT /* ä */ 1 -- ü\n, nothing;",
			"  1 | SELECT /* ä */ 1 -- ü\n> 2 | , nothing;\n    |   ^"},
		"several in a line": {"SELECT 1; SELECT nothing; SELECT 3;",
			"> 1 | SELECT 1; SELECT nothing; SELECT 3;\n    |                  ^"},
		"not told apart": {"SELECT nothing; SELECT nothing;", "> 1 | SELECT nothing; SELECT nothing;"},
		"behind a value": {"SELECT '${secret}', nothing\n, 2;",
			"> 1 | SELECT '${secret}', nothing\n    |                     ^\n  2 | , 2;"},
		"behind many lines": {"SELECT '${lines}';\nSELECT\n'${lines}', nothing;",
			"  2 | SELECT\n> 3 | '${lines}', nothing;\n    |             ^"},
		"in a value": {"SELECT 1,\n  ${name};", "  1 | SELECT 1,\n> 2 |   ${name};\n    |   ^"},
		"no place":   {"SELECT 1;\nSELECT 1 /\n0;\nSELECT 2;", "> 2 | SELECT 1 /\n  3 | 0;"},
		"in a block": {"DO $$\nBEGIN\n  EXECUTE 'SELEC 1';\nEND $$;",
			"> 1 | DO $$\n  2 | BEGIN\n  3 |   EXECUTE 'SELEC 1';"},
		"its own Position": {"DO $$\nBEGIN RAISE EXCEPTION 'Position: 4'; END $$;",
			"> 1 | DO $$\n  2 | BEGIN RAISE EXCEPTION 'Position: 4'; END $$;"},
		"carriage returns":   {"SELECT 1;\r\nSELECT 1,\r\n nothing;\r\n", "  2 | SELECT 1,\n> 3 |  nothing;\n    |  ^"},
		"a mark at its head": {"\ufeffSELECT nothing;", "> 1 | SELECT nothing;\n    |        ^"},
		"copied": {"CREATE TABLE t1 (id int);\nCOPY t1 FROM STDIN;\n1\nx\n\\.\n",
			"> 2 | COPY t1 FROM STDIN;"},
		"refused": {"SELECT 1;\nCOMMIT;\nSELECT 2;", "> 2 | COMMIT;"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{
				files:        map[string]string{"V1__x.sql": c.text},
				placeholders: map[string]string{"secret": "pssst", "lines": "pssst\npssst\npssst", "name": "pssst"},
			}
			y := w.yard(t, databases)
			rep := y.run(t.Context(), migrate)
			got := strings.Join(rep.Excerpt.Text(rep.Line), "\n")
			if rep.Code != report.MigrationFailed && rep.Code != report.BadRelease || got != c.want {
				t.Errorf("%s: %s\n%s\nwant\n%s", rep.Code, rep.Message, got, c.want)
			}
			if shown := fmt.Sprintf("%+v", rep.Excerpt); strings.Contains(shown, "pssst") {
				t.Errorf("it holds a placeholder's value: %s", shown)
			}
		})
	}
}

func TestFailedUndoScriptsAreShown(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__t.sql": "CREATE TABLE t (id int);", "V2__t.sql": "SELECT 1;"})
	y.prime()
	for undo, want := range map[string]string{
		"DROP TABLE t;\nSELECT 1,\n\n nothing;\nSELECT 2;": "  2 | SELECT 1,\n  3 |\n> 4 |  nothing;\n    |  ^",
		"SELECT 1;\nSELECT 1\n/ 0;\nSELECT 2;":             "> 2 | SELECT 1\n  3 | / 0;",
		"SELECT 1; SELECT nothing;":                        "> 1 | SELECT 1; SELECT nothing;\n    |                  ^",
	} {
		y.write("U2__t.sql", undo)
		rep := y.fails(report.MigrationFailed, migrator.Request{Command: "revert", To: "1"})
		if got := strings.Join(rep.Excerpt.Text(rep.Line), "\n"); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}
