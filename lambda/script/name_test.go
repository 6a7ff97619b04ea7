package script

import (
	"strings"
	"testing"
	"unicode"
)

func TestNamesThatMeanSomething(t *testing.T) {
	for file, want := range map[string]struct {
		kind        Kind
		version     string
		description string
		event       string
	}{
		"V1__create_orders.sql":            {Versioned, "1", "create orders", ""},
		"V1.2_3__x.sql":                    {Versioned, "1.2.3", "x", ""},
		"V007__x.sql":                      {Versioned, "007", "x", ""},
		"V1.sql":                           {Versioned, "1", "", ""},
		"V1__.sql":                         {Versioned, "1", "", ""},
		"V1___x.sql":                       {Versioned, "1", " x", ""},
		"V1__a__b.sql":                     {Versioned, "1", "a  b", ""},
		"V1__a.b.sql":                      {Versioned, "1", "a.b", ""},
		"V1__add orders.sql":               {Versioned, "1", "add orders", ""},
		"V1__größe_😀.sql":                  {Versioned, "1", "größe 😀", ""},
		"V20240131093000__x.sql":           {Versioned, "20240131093000", "x", ""},
		"U1.2__x.sql":                      {Undo, "1.2", "x", ""},
		"R__order_view.sql":                {Repeatable, "", "order view", ""},
		"R__1.sql":                         {Repeatable, "", "1", ""},
		"beforeMigrate.sql":                {Callback, "", "", "beforeMigrate"},
		"afterMigrate__grants.sql":         {Callback, "", "grants", "afterMigrate"},
		"beforeEachMigrateStatement__.sql": {Callback, "", "", "beforeEachMigrateStatement"},
		"V1__x.sql.conf":                   {Config, "1", "x", ""},
		"beforeMigrate.sql.conf":           {Config, "", "", "beforeMigrate"},
	} {
		n, err := ParseName(file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if n.Kind != want.kind || n.Version.String() != want.version || n.Description != want.description ||
			n.Event != want.event {
			t.Errorf("%s: got %s %q %q %q, want %v", file, n.Kind, n.Version, n.Description, n.Event, want)
		}
	}
}

func TestNamesThatFlywayWouldSkipInSilence(t *testing.T) {
	for file, reason := range map[string]string{
		"V3_x.sql":              "two underscores",
		"V1_2_x.sql":            "two underscores",
		"U1_x.sql":              "two underscores",
		"V__x.sql":              "no version",
		"Vone__x.sql":           "no version",
		"V1.__x.sql":            "no version",
		"V-1__x.sql":            "no version",
		"V1 __x.sql":            "no version",
		"V1-2__x.sql":           "no version",
		"V1a.sql":               "no version",
		"V.sql":                 "no version",
		"v1__x.sql":             "should look like",
		"r__x.sql":              "should look like",
		"x.sql":                 "should look like",
		".sql":                  "should look like",
		"__x.sql":               "should look like",
		"schema.sql":            "should look like",
		"R1__x.sql":             "should look like",
		"R_x.sql":               "should look like",
		"Rx.sql":                "should look like",
		" V1__x.sql":            "should look like",
		"beforemigrate.sql":     "should look like",
		"beforeMigrates.sql":    "should look like",
		"beforeMigrate_x.sql":   "should look like",
		"R.sql":                 "needs a description",
		"R__.sql":               "needs a description",
		"R___.sql":              "needs a description",
		"V1__x.SQL":             "lower case",
		"V1__x.Sql":             "lower case",
		"V1__x.txt.conf":        "lower case",
		"x.sql.conf":            "should look like",
		"V1__a\nb.sql":          "control character",
		"V1__a\x00.sql":         "control character",
		"V1__a\x1b[31m.sql":     "control character",
		"V1__a\u0085.sql":       "control character",
		"":                      "lower case",
		"q":                     "lower case",
		"V1__x.sql.conf.conf":   "",
		"B__baseline.sql":       "no version",
		"B1_baseline.sql":       "two underscores",
		"b1__baseline.sql":      "should look like",
		"undo1__x.sql":          "should look like",
		"SV1__x.sql":            "should look like",
		"V1__x.sql~":            "lower case",
		"V1\u00a0__x.sql":       "no version",
		"V\uff11__x.sql":        "no version",
		"V1\u200b__x.sql":       "no version",
		"beforeMigrate .sql":    "should look like",
		"V1__x.sql .conf":       "lower case",
		"V1__x.sql.CONF":        "lower case",
		"afterMigrate_____.txt": "lower case",
	} {
		n, err := ParseName(file)
		switch {
		case reason == "":
			if err != nil {
				t.Errorf("%q: %v", file, err)
			}
		case err == nil:
			t.Errorf("%q was taken for %+v", file, n)
		case !strings.Contains(err.Error(), reason):
			t.Errorf("%q: the error lacks %q: %v", file, reason, err)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, seed := range []string{"V1__x.sql", "R__x.sql", "U1_2__x.sql", "beforeMigrate.sql", "V1__x.sql.conf",
		"V1__\xff.sql"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		n, err := ParseName(file)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a text")
			}
			return
		}
		if strings.ContainsFunc(file, unicode.IsControl) {
			t.Errorf("%q: a control character was let through", file)
		}
		if versioned := n.Kind == Versioned || n.Kind == Undo || n.Kind == Baseline; versioned && n.Version.IsZero() {
			t.Errorf("%q: %s without a version", file, n.Kind)
		}
		if n.Kind == Callback && n.Event == "" || n.Kind == Repeatable && strings.TrimSpace(n.Description) == "" {
			t.Errorf("%q: %+v", file, n)
		}
		if strings.Contains(n.Description, "_") {
			t.Errorf("%q: the description %q has an underscore", file, n.Description)
		}
	})
}
