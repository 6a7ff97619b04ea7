//go:build deploy

package main

import "strings"

// editedComments deploys applied scripts that a tool has put a header into. The
// deployment fails and the former image comes back; the history is repaired by the
// scripts at hand all the same, and the same deployment goes through.
func editedComments(s *site) {
	const header = "-- Copyright the shop's owner. All rights reserved.\n"
	scripts := []string{"V1__customers.sql", "V2__orders.sql"}
	for _, name := range scripts {
		text, err := s.g.Read(name)
		s.check(err)
		s.write(name, header+text)
	}
	history, image := s.rows("app"), s.image("local")
	calls := s.deployInVain("local", "VALIDATION_FAILED", scripts[0], scripts[1], "make repair ENVIRONMENT=local")
	s.wantCalls(calls, "Update failed", "Update")
	s.wantStatus("slipway-local", "UPDATE_ROLLBACK_COMPLETE")
	if now := s.image("local"); now != image {
		s.Errorf("the function runs %s, before the deployment it ran %s", now, image)
	}

	// The inspector repairs nothing, whatever is named.
	inspector := s.stack("slipway-local").Outputs["InspectorName"]
	answer, err := s.g.Invoke(s.Context(), inspector, `{"command":"repair","checksums":{}}`)
	s.check(err)
	if !strings.Contains(answer, "BAD_REQUEST") || !strings.Contains(answer, "only reads") {
		s.Errorf("the inspector: %s", answer)
	}
	s.wantPrinted("repair --environment local --dry-run", "version 1, "+scripts[0]+": checksum",
		"version 2, "+scripts[1]+": checksum", "nothing was changed")
	s.wantEqual("history", s.rows("app"), history)
	s.wantPrinted("repair --environment local", "Database  app on ", "to be changed: version 1",
		"version 2, "+scripts[1]+": checksum", "deploy the release with the edited scripts next")
	if now := s.rows("app"); len(now) != len(history) || now[0] == history[0] || now[1] == history[1] ||
		now[2] != history[2] {
		s.Errorf("the history was %q and is %q", history, now)
	}
	// Once more: the former image must not get its checksums back.
	repaired := s.rows("app")
	s.wantPrinted("repair --environment local", "OK")
	s.wantEqual("history", s.rows("app"), repaired)

	s.wantCalls(s.deploy("local"), "Update")
	s.wantStatus("slipway-local", "UPDATE_COMPLETE")
	s.wantOutputs("local", "2", "0")
	s.wantPrinted("validate --environment local", "OK")
	s.wantPrinted("revert --environment local --to 2", "Database  app on ", "OK")
	s.wantEqual("history", s.rows("app"), repaired)
}

// rows is the whole history: one line for each row.
func (s *site) rows(database string) []string {
	s.Helper()
	return s.texts(database, `SELECT h::text FROM flyway_schema_history h ORDER BY installed_rank`)
}
