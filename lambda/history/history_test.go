package history

import "testing"

func TestTablesAreQuoted(t *testing.T) {
	for table, want := range map[Table]string{
		{Schema: `a"b`, Name: "C d"}:   `"a""b"."C d"`,
		{Name: "flyway"}:               `"flyway"`,
		{Schema: "nul\x00", Name: "x"}: `"nul"."x"`,
	} {
		if got := table.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestLiteralsAreQuoted(t *testing.T) {
	for text, want := range map[string]string{"a": "'a'", "it's": "'it''s'", `a\'b`: `E'a\\''b'`} {
		if got := Literal(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestARowIsNamedByAllThatTellsItApart(t *testing.T) {
	version := "1.5'"
	for want, row := range map[string]Row{
		" WHERE installed_rank = 7 AND coalesce(type, '') = 'SQL'": {Rank: 7, Type: SQL},
		" WHERE installed_rank = 7 AND coalesce(type, '') = 'x' AND version = '1.5'''": {Rank: 7, Type: "x",
			Version: &version},
	} {
		if got := row.Condition(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
