package migrator_test

import (
	"testing"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

// What `doctor` shows of the session and the role: never more than there is.
func TestInfoTellsOfTheSession(t *testing.T) {
	t.Parallel()
	y := newYard(t, release("1"))
	d := y.reader().ok(migrator.Request{Command: "info"}).Database
	// The server of these tests offers no TLS, and their user is a plain one.
	if d.TLS != report.NoTLS || d.Verified || len(d.Rights) > 0 {
		t.Errorf("%+v", d)
	}
}
