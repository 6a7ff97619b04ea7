package migrator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/session"
)

// findTable decides which table holds the history. It never lets a run begin a
// second history because the search path is another one than it was, and
// refuses one that would run what others put there.
func (r *run) findTable(ctx context.Context) error {
	byPath := r.Config.Schema == ""
	table := &r.session.Table
	*table = history.Table{Schema: r.Config.Schema, Name: cmp.Or(r.Config.Table, history.DefaultTable)}
	if byPath {
		table.Schema, _ = session.Ask(r.session, func(c *database.Conn) (string, error) { return c.Schema, nil })
	}
	if table.Schema == "" {
		return report.Failf(report.BadRequest, "no schema of the role's search_path exists, so there is no place "+
			"for the history").
			Next("Set FLYWAY_DEFAULT_SCHEMA (flyway.defaultSchema in cdk.json), or create a schema of the role's " +
				"search_path.")
	}
	place, err := session.Ask(r.session, func(c *database.Conn) (database.Place, error) { return c.Place(ctx, *table) })
	if err != nil {
		return err
	}
	if len(place.Foreign) > 0 {
		return planted(place.Foreign, "the history %s would run code of other roles with the rights of %s", *table,
			r.session.Target().User)
	}
	if place.Exists || len(place.Elsewhere) == 0 {
		return nil
	}
	others := strings.Join(place.Elsewhere, ", ")
	if !byPath {
		r.warn("the schema %s is configured and has no history %s; there is one in the schema %s, which is not used",
			table.Schema, table.Name, others)
		return nil
	}
	return report.Failf(report.BadRequest, "the search_path of %s leads to the schema %s, which has no history %s; "+
		"there is one in the schema %s",
		r.session.Target().User, table.Schema, table.Name, others).
		Next(fmt.Sprintf("Set FLYWAY_DEFAULT_SCHEMA (flyway.defaultSchema in cdk.json) to %s to go on with that "+
			"history, or to %s to begin one for another application.", strings.Join(place.Elsewhere, " or "),
			table.Schema))
}

// checkOthers is called before each start of Flyway and before undo scripts:
// their sessions keep the role's search path, so what others put there could
// be called by what Flyway and its driver ask, with the rights of the run's role.
func (r *run) checkOthers(ctx context.Context) error {
	others, err := session.Ask(r.session, func(c *database.Conn) (database.Others, error) {
		return c.Others(ctx, r.session.Table)
	})
	if err != nil {
		return err
	}
	if len(others.Planted) > 0 {
		return planted(others.Planted,
			"other roles have put what PostgreSQL would take for its own into the search path of %s",
			r.session.Target().User)
	}
	if len(others.Creators) > 0 && !r.trusted {
		r.warn("other roles can put code there that would run with the rights of %s: %s",
			r.session.Target().User, strings.Join(others.Creators, "; "))
	}
	r.trusted = true
	return nil
}

// planted is ACCESS_DENIED: others have rights that they must not have before
// anything is run as this role.
func planted(objects []string, format string, args ...any) *report.Failure {
	f := report.Failf(report.AccessDenied, format, args...).
		Next("Find out who made them and why. Drop them, or read them and give them to " +
			"the role of the migrations (ALTER … OWNER TO). Then REVOKE CREATE on the schema from the others.")
	for _, o := range slices.Compact(objects) {
		f.Problems = append(f.Problems, report.Problem{Reason: o})
	}
	return f
}
