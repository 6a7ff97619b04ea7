package judge

import (
	"strings"
	"testing"
	"time"

	"slipway/lambda/script"
)

// What grows faster than the script would take minutes here.
func TestLongScriptsAreJudgedInTime(t *testing.T) {
	const size = 1 << 19
	begun := time.Now()
	for name, part := range map[string]string{
		"statements":         "INSERT INTO t VALUES (1, 'a');\n",
		"psql":               "\\x 1\n",
		"parentheses":        "(",
		"comments that open": "/* ",
		"quotes":             "''",
		"dollars":            "$a",
		"dollar quotes":      "$a$ $b$ ",
		"parameters":         "$1;\n",
		"texts that go on":   "E'a'\n",
		"backslashes":        "E'\\'",
		"slash comments":     "/*/ a */ SELECT 1;\n",
		"BEGIN ATOMIC": "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN a THEN CASE b WHEN 1 THEN 2 END " +
			"END; END;\n",
		"open bodies":        "CREATE BEGIN ATOMIC SELECT $1 AS end; ",
		"history":            "INSERT INTO flyway_schema_history VALUES (1);\n",
		"names of history":   "flyway_schema_history . ",
		"long words":         "flyway_schema_history",
		"copies":             "COPY t FROM stdin;\n1\n\\.\n",
		"copies on one line": "COPY t FROM stdin; ",
		"control":            "COMMIT; DISCARD ALL;\n",
		"white space":        " \n",
		"digits":             "\u0661 ",
	} {
		sql := strings.Repeat(part, size/len(part))
		before := time.Now()
		Script(script.File{Script: "V1__x.sql"}, sql, Database{Table: "flyway_schema_history"})
		if took := time.Since(before); took > 15*time.Second {
			t.Errorf("%s: %s", name, took)
		}
	}
	t.Log(time.Since(begun))
}
