package sqltext

import "testing"

func TestSameCode(t *testing.T) {
	const text = "CREATE TABLE a (id int); -- of ours\nINSERT INTO a VALUES (1);\n"
	for name, c := range map[string]struct {
		a, b string
		same bool
	}{
		"a header":             {text, "-- SPDX-License-Identifier: MIT\n" + text, true},
		"line ends":            {text, "CREATE TABLE a (id int);\r\nINSERT INTO a\r\n\tVALUES (1)", true},
		"a byte order mark":    {text, "\ufeff" + text, true},
		"a nested comment":     {text, "/* a /* b */ ; DROP TABLE a; */" + text, true},
		"no comment any more":  {"SELECT 1; -- later: DROP TABLE a;", "SELECT 1; -- later:\nDROP TABLE a;", false},
		"space in a text":      {"SELECT 'a b'", "SELECT 'a  b'", false},
		"a comment in a text":  {"SELECT '-- a'", "SELECT '-- b'", false},
		"space in a body":      {"DO $$ BEGIN NULL; END $$", "DO $$BEGIN NULL; END $$", false},
		"letters of a keyword": {"SELECT 1", "select 1", false},
		"two names":            {"SELECT a b", "SELECT ab", false},
		"data":                 {"COPY a FROM stdin;\n1\n\\.\n", "COPY a FROM stdin;\n2\n\\.\n", false},
		"a comment beside it":  {"COPY a FROM stdin;\n1\n\\.\n", "-- x\nCOPY a FROM stdin;\n1\n\\.\n", true},
		"one more":             {text, text + "SELECT 1;", false},
	} {
		if got := SameCode(c.a, c.b); got != c.same {
			t.Errorf("%s: %t", name, got)
		}
	}
}
