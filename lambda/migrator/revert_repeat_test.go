package migrator

import (
	"slices"
	"strings"
	"testing"

	"slipway/lambda/database"
)

func TestRepeatNames(t *testing.T) {
	a := repeat{text: strings.ToLower(`CREATE VIEW Totals AS SELECT "Größe", x FROM shop.orders; -- ordersx`)}
	for name, want := range map[string]bool{"totals": true, "TOTALS": true, "orders": true, "order": false,
		"ordersx": true, "shop": true, "größe": true, "gr": false, "nothing": false} {
		if got := a.names(name); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestTouchesUnnamed(t *testing.T) {
	for text, want := range map[string]bool{
		"CREATE OR REPLACE VIEW v AS SELECT 1":                                     false,
		"GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader":                    true,
		"GRANT EXECUTE ON FUNCTION f() TO reader":                                  false,
		"CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()":    false,
		"CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW\nEXECUTE\nPROCEDURE f()": false,
		"DO $$ BEGIN EXECUTE format('DROP TABLE %I', x); END $$":                   true,
		"DO $$ BEGIN EXECUTE 'DROP TABLE x'; END $$":                               true,
		"SELECT * FROM information_schema.tables":                                  true,
	} {
		if got := touchesUnnamed(text); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

func TestRepeatLost(t *testing.T) {
	before := map[string]database.Object{
		"r1": {Kind: "table", Name: "orders"}, "r2": {Kind: "view", Name: "totals", State: "1"},
		"r3": {Kind: "index", Name: "i"}, "r4": {Kind: "table", Name: "stays"},
	}
	after := map[string]database.Object{"r4": {Kind: "table", Name: "stays"},
		"r2": {Kind: "view", Name: "totals", State: "2"}, "r9": {Kind: "table", Name: "new"}}
	lost := gone(before, after)
	for text, want := range map[string]string{"totals of orders": "table orders, view totals", "stays": "", "new": "",
		"i": "index i"} {
		if got := (repeat{text: text}).lost(lost); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	if got := (repeat{text: "grant", open: true}).lost(lost); got != "table orders, view totals" {
		t.Errorf("one that names nothing: %q", got)
	}
}

func TestRepeatUsesOf(t *testing.T) {
	steps := []step{{text: "DROP VIEW IF EXISTS shop.totals, other CASCADE;\n-- why\nDROP TABLE \"Orders\";\nDROP " +
		"FUNCTION f(int);\nDROP INDEX i; ALTER TABLE lines DROP x;"}}
	a := repeat{text: "totals orders f i lines x"}
	if got := a.usesOf(droppedBy(steps)); !slices.Equal(got, []string{"Orders", "f", "totals"}) {
		t.Errorf("got %q", got)
	}
}
