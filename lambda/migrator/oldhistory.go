package migrator

import (
	"context"
	"errors"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/session"
)

// oldTable is the name that Flyway gave the history before version 5.
const oldTable = "schema_version"

// checkOldHistory refuses to begin a history beside one that has the old name.
// Where a setting names the table, that is a decision.
func (r *run) checkOldHistory(ctx context.Context) error {
	if r.exists || r.Config.Table != "" {
		return nil
	}
	exists, err := session.Ask(r.session, func(c *database.Conn) (exists bool, err error) {
		_, exists, err = c.History(ctx, history.Table{Schema: r.session.Table.Schema, Name: oldTable})
		return exists, err
	})
	var other *database.UnreadableError
	if errors.As(err, &other) {
		return nil // another program's table of that name
	}
	if err != nil || !exists {
		return err
	}
	return report.Failf(report.BadRequest, "the schema %s has a history under the name that Flyway gave it before "+
		"version 5, %s; nothing was run", r.session.Table.Schema, oldTable).
		Next("Set FLYWAY_TABLE (flyway.table in cdk.json) to " + oldTable + " to go on with that history, or to " +
			history.DefaultTable + " to begin another.")
}
