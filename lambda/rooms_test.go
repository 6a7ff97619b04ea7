package main

import (
	"go/build"
	"path"
	"slices"
	"strings"
	"testing"
)

// What packages of the core may import of Slipway. Nothing goes back: none of them
// knows the migrator, which decides the order of things.
var rooms = map[string][]string{
	"history":    {},
	"sqltext":    {"lazyregexp"},
	"lazyregexp": {},
	"plan":       {"flyway", "history", "report", "script"},
	"session":    {"database", "flyway", "history", "report"},
	"retry":      {"history", "lazyregexp", "report", "session"},
	"database":   {"history", "report"},
}

func TestPackagesOfTheCoreImportNothingAboveThem(t *testing.T) {
	for room, allowed := range rooms {
		p, err := build.ImportDir(room, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, imported := range p.Imports {
			name := path.Base(imported)
			if strings.HasPrefix(imported, "slipway/") && !slices.Contains(allowed, name) {
				t.Errorf("lambda/%s imports %s: it may import %v", room, name, allowed)
			}
		}
	}
}
