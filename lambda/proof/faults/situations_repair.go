package main

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
		"that a request names, all or none; then the edited release runs", func(l *lab) {
		l.one()
		l.two()
		l.completes("2")
		l.seen = nil
		e := l.former()
		names := []string{"V1__one.sql", "V2__two.sql"}
		was, now := map[string]int32{}, map[string]int32{}
		for _, name := range names {
			was[name] = script.Checksum([]byte(l.scripts[name]))
			l.script(name, "-- Copyright the shop\n"+l.scripts[name])
			now[name] = script.Checksum([]byte(l.scripts[name]))
		}
		l.three()
		before := l.look()
		o := l.run("migrate")
		l.contains(fmt.Sprint(o.Problems), names[0], names[1])
		l.contains(o.Next, "slipway repair")
		l.check(o.Code == report.ValidationFailed, "migrate: %s", o.Code)
		l.unchanged(before)

		request := func(second int32) string {
			return fmt.Sprintf(`{"command": "repair", "checksums": {%q: {"was": %d, "now": %d}, %q: {"was": %d, "now": %d}}}`,
				names[0], was[names[0]], now[names[0]], names[1], second, now[names[1]])
		}
		o = e.invoke(request(was[names[1]] + 1)).report()
		l.check(o.Code == report.ValidationFailed && len(o.Problems) == 1, "a wrong checksum: %s %v", o.Code, o.Problems)
		l.contains(o.Problems[0].String(), names[1], "with the checksum")
		l.unchanged(before)
		o = e.invoke(request(was[names[1]])).report()
		l.check(o.Code == report.OK && len(o.Actions) == 2, "repair: %s %s %v", o.Code, o.Message, o.Actions)
		l.check(o.FlywayVersion == "", "Flyway %s was started", o.FlywayVersion)
		e.stop()
		l.saw("VALIDATION_FAILED names both; a wrong checksum refuses both; repair lists 2 rows, without Flyway")
		l.next("3")
	}},
}

// former is a function that keeps the scripts as they are now.
func (l *lab) former() *endpoint {
	folder := filepath.Join(l.dir, "former")
	l.must(os.CopyFS(folder, os.DirFS(filepath.Join(l.dir, "sql"))))
	release := l.env["FLYWAY_LOCATIONS"]
	l.env["FLYWAY_LOCATIONS"] = "filesystem:" + folder
	defer func() { l.env["FLYWAY_LOCATIONS"] = release }()
	return l.serve()
}
