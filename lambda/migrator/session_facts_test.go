package migrator_test

import (
	"slices"
	"testing"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

// What `doctor` shows of the session and the role: never more than there is.
func TestInfoTellsOfTheSession(t *testing.T) {
	t.Parallel()
	y := newYard(t, release("1"))
	d := y.reader().ok(migrator.Request{Command: "info"}).Database
	// The server of these tests offers no TLS.
	if d.TLS != report.NoTLS || d.Verified || !slices.Contains(d.Rights, "superuser") || slices.Contains(d.Rights, "rds_superuser") {
		t.Errorf("%+v", d)
	}
}
