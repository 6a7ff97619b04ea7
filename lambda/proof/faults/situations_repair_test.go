//go:build faults

package faults

import (
	"fmt"
	"os"
	"path/filepath"

	"slipway/lambda/report"
	"slipway/lambda/script"
)

// A deployment of edited scripts failed, and the function has the former ones again.
var situationRepairFaults = []fault{
	{"situation-comments-edited-everywhere", "a function with the former scripts repairs the history by checksums " +
		"that a request names, all or none; then the edited release runs", func(t *testbed) {
		t.one()
		t.two()
		t.completes("2")
		t.seen = nil
		e := t.former()
		names := []string{"V1__one.sql", "V2__two.sql"}
		was, now := map[string]int32{}, map[string]int32{}
		for _, name := range names {
			was[name] = script.Checksum([]byte(t.scripts[name]))
			t.script(name, "-- Copyright the shop\n"+t.scripts[name])
			now[name] = script.Checksum([]byte(t.scripts[name]))
		}
		t.three()
		before := t.look()
		o := t.run("migrate")
		t.contains(fmt.Sprint(o.Problems), names[0], names[1])
		t.contains(o.Next, "slipway repair")
		t.check(o.Code == report.ValidationFailed, "migrate: %s", o.Code)
		t.unchanged(before)

		request := func(second int32) string {
			return fmt.Sprintf(
				`{"command": "repair", "checksums": {%q: {"was": %d, "now": %d}, %q: {"was": %d, "now": %d}}}`,
				names[0], was[names[0]], now[names[0]], names[1], second, now[names[1]])
		}
		o = e.invoke(request(was[names[1]] + 1)).report()
		t.check(o.Code == report.ValidationFailed && len(o.Problems) == 1, "a wrong checksum: %s %v", o.Code,
			o.Problems)
		t.contains(o.Problems[0].String(), names[1], "with the checksum")
		t.unchanged(before)
		o = e.invoke(request(was[names[1]])).report()
		t.check(o.Code == report.OK && len(o.Actions) == 2, "repair: %s %s %v", o.Code, o.Message, o.Actions)
		t.check(o.FlywayVersion == "", "Flyway %s was started", o.FlywayVersion)
		e.stop()
		t.saw("VALIDATION_FAILED names both; a wrong checksum refuses both; repair lists 2 rows, without Flyway")
		t.next("3")
	}},
}

// former is a function that keeps the scripts as they are now.
func (t *testbed) former() *endpoint {
	folder := filepath.Join(t.dir, "former")
	t.must(os.CopyFS(folder, os.DirFS(filepath.Join(t.dir, "sql"))))
	release := t.env["FLYWAY_LOCATIONS"]
	t.env["FLYWAY_LOCATIONS"] = "filesystem:" + folder
	defer func() { t.env["FLYWAY_LOCATIONS"] = release }()
	return t.serve()
}
