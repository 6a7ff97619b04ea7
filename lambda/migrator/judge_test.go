package migrator_test

import (
	"strings"
	"testing"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

// What is known to go wrong is refused before anything is run, with every line.
func TestScriptsAreJudgedBeforeTheyRun(t *testing.T) {
	urls := pool(t)
	for name, test := range map[string]struct {
		files map[string]string
		line  int
		words []string // of message or next step
	}{
		"end mark": {with(release("1"), "V2__x.sql", "CREATE TABLE t (a int);\nCOPY t FROM STDIN;\n1\n"), 2,
			[]string{"COPY", `\.`}},
		"behind copy": {with(release("1"), "V2__x.sql",
			"CREATE TABLE t (a int);\nCOPY t FROM STDIN; SELECT 1;\n1\n\\.\n"), 2, []string{"below the data"}},
		"extra end": {with(release("1"), "V2__x.sql", "CREATE TABLE t (a int);\nEND;\n"), 2,
			[]string{"END", "executeInTransaction=false", "V2__x.sql.conf"}},
		"repeatable": {with(release("1"), "R__x.sql", "SELECT 1;\nCOMMIT;\n"), 2, []string{"COMMIT"}},
		"callback":   {with(release("1"), "afterMigrate.sql", "SELECT 1;\nROLLBACK;\n"), 2, []string{"ROLLBACK"}},
		"history":    {with(release("1"), "V2__x.sql", "DELETE FROM flyway_schema_history;"), 1, []string{"history"}},
		"psql":       {with(release("1"), "V2__x.sql", "\\set x 1\nSELECT 1;"), 1, []string{"psql"}},
		"reindex": {with(release("1"), "V2__x.sql", "REINDEX (CONCURRENTLY) TABLE t;"), 1,
			[]string{"executeInTransaction=false"}},
		"discard":     {with(release("1"), "V2__x.sql", "DISCARD ALL;"), 1, []string{"DISCARD ALL"}},
		"parenthesis": {with(release("1"), "V2__x.sql", "(SELECT 1) UNION (SELECT 2);"), 1, []string{"parenthesis"}},
		"comment":     {with(release("1"), "V2__x.sql", "SELECT 1;\n/*/ a; */\nSELECT 2;"), 2, []string{"/* /"}},
		"placeholders": {world{files: with(release("1"), "V2__x.sql", "SELECT 1;\n${who};")}.files, 2,
			[]string{"COMMIT"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := world{files: test.files, placeholders: map[string]string{"who": "COMMIT"}}
			y := w.yard(t, urls)
			rep := y.fails(report.BadRelease, migrator.Request{Command: "migrate"})
			if rep.Line != test.line || rep.Script == "V1__a.sql" {
				t.Errorf("it names %s, line %d: %s", rep.Script, rep.Line, rep.Message)
			}
			for _, word := range test.words {
				if !strings.Contains(rep.Message+rep.Next, word) {
					t.Errorf("%q misses %q", rep.Message+" "+rep.Next, word)
				}
			}
			if len(rep.Applied) > 0 || y.starts() > 0 {
				t.Error("something was run")
			}
		})
	}
}

func TestPlaceholdersThatStay(t *testing.T) {
	urls := pool(t)
	w := world{files: with(release("1"), "V2__x.sql", "CREATE TABLE ${who}_mail (a text);\nSELECT 'Dear "+
		"${recipient.name}';"), placeholders: map[string]string{"who": "me"}}
	rep := w.yard(t, urls).fails(report.BadRelease, migrator.Request{Command: "migrate"})
	if !strings.Contains(rep.Next, "'$' || '{name}'") || !strings.Contains(rep.Next, "placeholderPrefix") ||
		rep.Line != 2 {
		t.Error(rep.Line, rep.Next)
	}
	w.files = with(release("1"), "V2__x.sql", "CREATE TABLE t (a text);\nINSERT INTO t VALUES ($q$${who}$q$), "+
		"('${who}');")
	rep = w.yard(t, urls).ok(migrator.Request{Command: "migrate"})
	if warnings := strings.Join(rep.Warnings, "\n"); !strings.Contains(warnings,
		"V2__x.sql, line 2: ${who} stays as it is") {
		t.Error(warnings)
	}
}

// What Flyway does not have the memory for is refused with the size.
func TestStatementsThatFlywayCantHold(t *testing.T) {
	t.Parallel()
	rows := strings.Repeat("(1),\n", 1<<19)
	y := newYard(t, map[string]string{"V1__x.sql": "CREATE TABLE t (a int);\nINSERT INTO t VALUES " + rows + "(2);"})
	y.config.MemoryMB = 20
	rep := y.fails(report.BadRelease, migrator.Request{Command: "migrate"})
	if rep.Script != "V1__x.sql" || rep.Line != 2 || !strings.Contains(rep.Message, "has 2 MB") ||
		!strings.Contains(rep.Next, "COPY … FROM STDIN") {
		t.Error(rep.Line, rep.Message, rep.Next)
	}
}
