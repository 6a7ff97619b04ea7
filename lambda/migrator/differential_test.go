package migrator_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// worlds are the cases that somebody would think of.
func worlds() map[string]world {
	long := strings.Repeat("x", 250)
	cut := strings.Repeat("x", 197) + "..."
	wide := strings.Repeat("😀", 90) // 180 units of UTF-16
	return map[string]world{
		"no history":         {files: release("1", "2")},
		"everything applied": {files: release("1", "2"), rows: applied("1", "2")},
		"one more":           {files: release("1", "2", "3"), rows: applied("1", "2")},
		"edited": {files: with(release("1", "2"), "V1__a.sql", "SELECT 2;"),
			rows: applied("1", "2")},
		"line ends edited": {files: with(release("1", "2"), "V1__a.sql", "\ufeffSELECT 1;\r\n"),
			rows: applied("1", "2")},
		"renamed":                  {files: with(release("1"), "V2__b.sql", "SELECT 1;"), rows: applied("1", "2")},
		"renamed and edited":       {files: with(release("1"), "V2__b.sql", "SELECT 2;"), rows: applied("1", "2")},
		"spelled otherwise":        {files: with(release("2"), "V01.0__a.sql", "SELECT 1;"), rows: applied("1", "2")},
		"missing in between":       {files: release("1", "3"), rows: applied("1", "2", "3")},
		"missing at the end":       {files: release("1"), rows: applied("1", "2")},
		"future and pending":       {files: release("1", "2"), rows: applied("1", "3")},
		"future and repeatable":    {files: with(release("1"), "R__v.sql", "SELECT 1;"), rows: applied("1", "2")},
		"late":                     {files: release("1", "2", "3"), rows: applied("1", "3")},
		"late and allowed":         {files: release("1", "2", "3"), rows: applied("1", "3"), outOfOrder: true},
		"late and new":             {files: release("1", "2", "3", "4"), rows: applied("1", "3")},
		"late and new and allowed": {files: release("1", "2", "3", "4"), rows: applied("1", "3"), outOfOrder: true},
		"came late and applied":    {files: release("1", "2", "3"), rows: applied("1", "3", "2")},
		"came late twice":          {files: release("1", "2", "3", "4"), rows: applied("4", "1", "3", "2")},
		"baseline":                 {files: release("1", "2", "3"), rows: []row{baseline("2")}},
		"baseline and after": {files: release("1", "2", "3"),
			rows: append([]row{baseline("2")}, applied("3")...)},
		"baseline below all":    {files: release("1", "2"), rows: []row{baseline("0")}},
		"baseline above all":    {files: release("1", "2"), rows: []row{baseline("9")}},
		"baseline without file": {files: release("1", "3"), rows: []row{baseline("2")}},
		"schema made": {files: release("1"),
			rows: append([]row{{"", "<< Flyway Schema Creation >>", "SCHEMA", "", false}}, applied("1")...)},
		"tombstone": {files: release("1", "2"),
			rows: append(applied("1", "2"), deleted("2", "a", "SELECT 1;"))},
		"tombstone and gone": {files: release("1"),
			rows: append(applied("1", "2"), deleted("2", "a", "SELECT 1;"))},
		"tombstone and edited": {files: with(release("1"), "V2__b.sql", "SELECT 2;"),
			rows: append(applied("1", "2"), deleted("2", "a", "SELECT 1;"))},
		"tombstone and again": {files: release("1", "2"),
			rows: append(append(applied("1", "2"), deleted("2", "a", "SELECT 1;")), applied("2")...)},
		"two tombstones": {files: release("1", "2"),
			rows: append(append(append(applied("1", "2"), deleted("2", "a", "SELECT 1;")), applied("2")...),
				deleted("2", "a", "SELECT 1;"))},
		"tombstone in between": {files: release("1", "2", "3"),
			rows: append(applied("1", "2", "3"), deleted("2", "a", "SELECT 1;"))},
		"all the way back": {files: release("1", "2"),
			rows: append(applied("1", "2"), deleted("2", "a", "SELECT 1;"), deleted("1", "a", "SELECT 1;"))},
		"failed": {files: release("1", "2"),
			rows: append(applied("1"), failed("2", "a", "SELECT 1;"))},
		"failed and gone": {files: release("1", "3"),
			rows: append(applied("1"), failed("2", "a", "SELECT 1;"))},
		"failed above all": {files: release("1"), rows: append(applied("1"), failed("2", "a", "SELECT 1;"))},
		"failed and then applied": {files: release("1", "2"),
			rows: append(append(applied("1"), failed("2", "a", "SELECT 1;")), applied("2")...)},
		"repeatable applied": {files: with(release("1"), "R__v.sql", "SELECT 1;"),
			rows: append(applied("1"), sql("", "v", "SELECT 1;"))},
		"repeatable edited": {files: with(release("1"), "R__v.sql", "SELECT 2;"),
			rows: append(applied("1"), sql("", "v", "SELECT 1;"))},
		"repeatable twice": {files: with(release("1"), "R__v.sql", "SELECT 2;"),
			rows: append(applied("1"), sql("", "v", "SELECT 1;"), sql("", "v", "SELECT 2;"))},
		"repeatable back": {files: with(release("1"), "R__v.sql", "SELECT 1;"),
			rows: append(applied("1"), sql("", "v", "SELECT 1;"), sql("", "v", "SELECT 2;"))},
		"repeatable gone": {files: release("1"), rows: append(applied("1"), sql("", "v", "SELECT 1;"))},
		"repeatable gone and twice": {files: release("1"), rows: append(applied("1"), sql("", "v", "SELECT 1;"), sql("",
			"v", "SELECT 2;"))},
		"repeatable tombstone": {files: release("1"),
			rows: append(applied("1"), sql("", "v", "SELECT 1;"), deleted("", "v", "SELECT 1;"))},
		"repeatable returns": {files: with(release("1"), "R__v.sql", "SELECT 1;"),
			rows: append(applied("1"), sql("", "v", "SELECT 1;"), deleted("", "v", "SELECT 1;"))},
		"repeatable failed": {files: with(release("1"), "R__v.sql", "SELECT 1;"),
			rows: append(applied("1"), failed("", "v", "SELECT 1;"))},
		"repeatable failed once": {files: with(release("1"), "R__v.sql", "SELECT 1;"),
			rows: append(applied("1"), failed("", "v", "SELECT 1;"), sql("", "v", "SELECT 1;"))},
		"repeatables in order": {files: with(release("1"), "R__b.sql", "SELECT 1;", "R__A.sql", "SELECT 1;",
			"R__a_b.sql", "SELECT 1;", "R__ab.sql", "SELECT 1;", "sub/R__0.sql", "SELECT 1;"), rows: applied("1")},
		"placeholders": {files: with(release("1"), "R__v.sql", "SELECT '${Who} ${port} $${x} ${dsn}';"),
			rows: append(applied("1"), sql("", "v", "SELECT 'me 1';")), placeholders: map[string]string{"who": "me"}},
		"placeholders and as before": {files: with(release("1"), "R__v.sql", "SELECT '${who}';", "R__w.sql",
			"SELECT '$${who} $$${who}';"),
			rows:         append(applied("1"), sql("", "v", "SELECT 'me';"), sql("", "w", "SELECT '$${who} $$me';")),
			placeholders: map[string]string{"who": "me"}},
		"placeholders and raw sum": {files: with(release("1"), "R__v.sql", "SELECT '${who}';"),
			rows: append(applied("1"), sql("", "v", "SELECT '${who}';")), placeholders: map[string]string{"who": "me"}},
		"placeholders and literal": {files: with(release("1"), "R__v.sql", "SELECT '${who}';", "R__v.sql.conf",
			"placeholderReplacement=false"), rows: append(applied("1"), sql("", "v", "SELECT '${who}';"))},
		"placeholders with spaces": {files: with(release("1"), "R__v.sql", "SELECT '${who}';"),
			rows:         append(applied("1"), sql("", "v", "SELECT ' me  ';")),
			placeholders: map[string]string{"who": " me  "}},
		"placeholders of nothing": {files: with(release("1"), "R__v.sql", "SELECT '${who}';"),
			rows: append(applied("1"), sql("", "v", "SELECT 'x';")), placeholders: map[string]string{"who": ""}},
		"placeholders and resolvers": {files: with(release("1"), "R__v.sql", "SELECT '${who}';"),
			rows:         append(applied("1"), sql("", "v", "SELECT '!{a} ${env.HOME}';")),
			placeholders: map[string]string{"who": "!{a} ${env.HOME}"}},
		"placeholders of Flyway": {files: with(release("1"), "R__v.sql", "SELECT '${flyway:database}';"),
			rows: append(applied("1"), sql("", "v", "SELECT 'another';"))},
		"placeholders of Flyway once more": {files: with(release("1"), "R__v.sql", "SELECT '${flyway:filename}';"),
			rows: append(applied("1"), sql("", "v", "SELECT 'R__v.sql';"))},
		"long description": {files: with(release(), "V1__"+long[:235]+".sql", "SELECT 1;", "R__"+long[:200]+".sql",
			"SELECT 1;"), rows: []row{sql("1", cut, "SELECT 1;"), sql("", long[:200], "SELECT 1;")}},
		"long and renamed": {files: with(release(), "V1__"+long[:235]+".sql", "SELECT 1;"),
			rows: []row{sql("1", strings.Repeat("y", 197)+"...", "SELECT 1;")}},
		"wide description": {files: with(release(), "V1__"+wide[:220]+".sql", "SELECT 1;"),
			rows: []row{sql("1", wide[:220], "SELECT 1;")}},
		"no description": {files: with(release("1"), "V2__.sql", "SELECT 1;", "V3.sql", "SELECT 1;"),
			rows: append(applied("1"), sql("2", "", "SELECT 1;"), sql("3", "<< no description >>", "SELECT 1;"))},
		"no description now":    {files: with(release(), "V1__.sql", "SELECT 1;"), rows: applied("1")},
		"no description before": {files: release("1"), rows: []row{sql("1", "", "SELECT 1;")}},
		"subfolders": {files: with(release("1"), "b/V2__a.sql", "SELECT 1;", "a/V3__a.sql", "SELECT 1;",
			".git/V4__a.sql", "SELECT 1;", "a/R__v.sql", "SELECT 1;"), rows: applied("1", "2")},
		"undo scripts": {files: with(release("1", "2"), "U1__a.sql", "SELECT 1;", "U2__a.sql", "SELECT 1;"),
			rows: applied("1")},
		"callbacks": {files: with(release("1", "2"), "beforeMigrate.sql", "SELECT 1;",
			"afterEachMigrate__x.sql", "SELECT 1;"), rows: applied("1")},
		"non-transactional": {files: with(release("1", "2"), "V2__a.sql", "VACUUM;", "V3__a.sql", "SELECT 1;"),
			rows: applied("1")},
		"configured so": {files: with(release("1", "2"), "V2__a.sql.conf", "executeInTransaction=false"),
			rows: applied("1")},
		"huge versions": {files: release("9", "10", "20240131093000", "99999999999999999999999999"),
			rows: applied("9", "10", "20240131093000")},
		"history without rows": {files: release("1"), rows: []row{}},
		"several problems": {files: with(release("2", "3", "4"), "V3__b.sql", "SELECT 1;", "V3__a.sql", "-",
			"V4__a.sql", "SELECT 4;"), rows: applied("1", "3", "4")},
	}
}

// Whatever stands in a history: Slipway, by its own rules and without a JVM,
// says the same as Flyway.
func TestPlanIsFlyways(t *testing.T) {
	t.Parallel()
	databases := pool(t)
	for name, w := range worlds() {
		for _, word := range []string{"allowed", "baseline", "tombstone", "placeholders", "no history", "long",
			"subfolders", "callbacks", "transactional"} {
			w.carryOut = w.carryOut || strings.Contains(name, word)
		}
		if testing.Short() && !w.carryOut {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w.yard(t, databases).agree(w)
		})
	}
}

// The same for worlds that nobody has thought of.
func TestPlanIsFlywaysForRandomWorlds(t *testing.T) {
	t.Parallel()
	databases := pool(t)
	n := 10
	if testing.Short() {
		n = 4
	}
	for seed := range n {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(seed), 7))
			w := random(r)
			if seed%2 == 1 {
				w = withBaselines(r, w)
			}
			w.yard(t, databases).agree(w)
		})
	}
}

// random makes up a world in which each version has a fate of its own.
func random(r *rand.Rand) world {
	w := world{files: map[string]string{"V0.1__first.sql": "SELECT 0;"}, rows: []row{sql("0.1", "first", "SELECT 0;")},
		outOfOrder: r.IntN(3) == 0, placeholders: map[string]string{"who": "me"}, carryOut: true}
	if r.IntN(5) == 0 {
		w.rows = []row{baseline([]string{"0.1", "1", "2.5"}[r.IntN(3)])}
	}
	add := func(version, description, text string) {
		name := "V" + version + "__" + description + ".sql"
		if version == "" {
			name = "R__" + description + ".sql"
		}
		w.files[name] = text
	}
	for _, version := range []string{"1", "1.1", "2", "3", "3.0.1", "4", "10", "20240131"} {
		text := "SELECT " + strings.ReplaceAll(version, ".", "") + ";"
		switch fate := r.IntN(20); {
		case fate < 9:
			add(version, "a", text)
			w.rows = append(w.rows, sql(version, "a", text))
		case fate < 12:
			add(version, "a", text)
		case fate == 12:
			add(version, "b", text)
			w.rows = append(w.rows, sql(version, "a", text))
		case fate == 13:
			add(version, "a", text+" -- edited")
			w.rows = append(w.rows, sql(version, "a", text))
		case fate == 14:
			w.rows = append(w.rows, sql(version, "a", text))
		case fate == 15:
			add(version, "a", text)
			w.rows = append(w.rows, failed(version, "a", text))
		case fate == 16:
			add(version, "a", text)
			w.rows = append(w.rows, sql(version, "a", text), deleted(version, "a", text))
		case fate == 17:
			add(version, "a", text)
			w.rows = append(w.rows, sql(version, "a", text), deleted(version, "a", text), sql(version, "a", text))
		case fate == 18:
			w.rows = append(w.rows, sql(version, "a", text), deleted(version, "a", text))
		}
	}
	for _, description := range []string{"v", "w", "Z"} {
		text := "SELECT '" + description + " ${who}';"
		now := strings.ReplaceAll(text, "${who}", "me")
		switch r.IntN(6) {
		case 0:
			add("", description, text)
		case 1:
			add("", description, text)
			w.rows = append(w.rows, sql("", description, now))
		case 2:
			add("", description, text)
			w.rows = append(w.rows, sql("", description, now), sql("", description, "SELECT 'other';"))
		case 3:
			w.rows = append(w.rows, sql("", description, now), deleted("", description, now))
		case 4:
			add("", description, text)
			w.rows = append(w.rows, sql("", description, "SELECT 'other';"), sql("", description, now))
		}
	}
	if r.IntN(3) == 0 && len(w.rows) > 3 { // somebody allowed a late one once
		i := 1 + r.IntN(len(w.rows)-2)
		if w.rows[i].kind == "SQL" && w.rows[i+1].kind == "SQL" {
			w.rows[i], w.rows[i+1] = w.rows[i+1], w.rows[i]
		}
	}
	w.rows = slices.Clip(w.rows)
	return w
}
