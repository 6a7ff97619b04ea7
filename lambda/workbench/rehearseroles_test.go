package main

import (
	"strings"
	"testing"

	"slipway/lambda/proof/changetest"
)

// A role that the server of a deployment has is no fault of the script, and
// --roles makes it; then the rehearsal fails as the deployment would.
func TestRolesOfTheServerInARehearsal(t *testing.T) {
	folder := changetest.Branch(t, oneTable, withScript("V2__p.sql",
		"ALTER DEFAULT PRIVILEGES FOR ROLE app_owner GRANT SELECT ON TABLES TO app_reader;"), nil)
	code, out, _ := branchCall(t, "rehearse", "--sql", folder, "--rows", "0")
	if code != exitNotMade || !strings.Contains(out, "--roles app_reader") ||
		!strings.Contains(out, "could not be rehearsed") {
		t.Errorf("without them: %d\n%s", code, out)
	}
	code, out, _ = branchCall(t, "rehearse", "--sql", folder, "--rows", "0", "--roles", "app_owner, app_reader")
	if code != 1 || !strings.Contains(out, "GRANT app_owner TO it.") || !strings.Contains(out, "COPY=") {
		t.Errorf("with them: %d\n%s", code, out)
	}
	if code, out, _ = branchCall(t, "rehearse", "--sql", folder, "--roles", "migrator"); code != 2 {
		t.Errorf("the rehearsal's own: %d\n%s", code, out)
	}
}

// What a block rewrites stands in the review, for no linter sees it.
func TestAReviewOfWhatABlockHides(t *testing.T) {
	needLinter(t)
	folder := changetest.Branch(t, oneTable, withScript("V2__d.sql", "DO $$ BEGIN EXECUTE 'ALTER TABLE a ALTER "+
		"COLUMN id TYPE numeric'; END $$;"), nil)
	code, out, progress := branchCall(t, "review", "--sql", folder, "--no-undo")
	if code != 1 || !strings.Contains(out, "DO block rewrites a under an ACCESS EXCLUSIVE lock") {
		t.Errorf("%d\n%s\n%s", code, out, progress)
	}
}
