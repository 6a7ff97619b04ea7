package database

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"slipway/lambda/history"
)

// History reads the table by installed_rank. No table is no rows and exists=false.
func (c *Conn) History(ctx context.Context, t history.Table) (rows []history.Row, exists bool, err error) {
	return c.read(ctx, t, math.MinInt32)
}

func (c *Conn) read(ctx context.Context, t history.Table, after int) (rows []history.Row, exists bool, err error) {
	r, err := c.pg.Query(ctx, historyColumns+t.String()+` WHERE installed_rank > $1 ORDER BY installed_rank`, after)
	if err == nil {
		rows, err = pgx.CollectRows(r, scanRow)
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch {
		case pg.Code == "42P01" || pg.Code == "3F000":
			// A view or a policy in its place can miss a table of its own.
			var there bool
			if again := c.pg.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL",
				t.String()).Scan(&there); again != nil {
				return nil, false, again
			}
			if there {
				return nil, true, &UnreadableError{t, errors.New(pg.Message)}
			}
			return nil, false, nil
		case slices.Contains(noHistory, pg.Code):
			return nil, true, &UnreadableError{t, errors.New(pg.Message)}
		}
	}
	return rows, err == nil, err
}

// historyColumns casts what a table that was made by hand, or by another
// program, may have in another type. Flyway's driver converts them as well.
const historyColumns = `SELECT coalesce(installed_rank::bigint, 0), version::text, coalesce(description::text, ''), coalesce(type::text, ''),
	coalesce(script::text, ''), checksum::int, coalesce(installed_by::text, ''), coalesce(installed_on::timestamp, 'epoch'),
	coalesce(execution_time::int, 0), coalesce(success::text::boolean, false) FROM `

func scanRow(r pgx.CollectableRow) (h history.Row, err error) {
	err = r.Scan(&h.Rank, &h.Version, &h.Description, &h.Type, &h.Script, &h.Checksum, &h.InstalledBy, &h.InstalledOn,
		&h.Duration, &h.Success)
	return h, err
}

// noHistory are the SQLSTATEs of a table that is no history: a column is not
// there, or holds what is not of its kind.
var noHistory = []string{"42703", "42846", "42883", "22P02", "22003", "22007", "22008", "42809"}

// UnreadableError says that the history's table can't be read as one.
type UnreadableError struct {
	Table history.Table
	Err   error // what PostgreSQL said
}

func (e *UnreadableError) Error() string {
	return fmt.Sprintf("the table %s is not a history of Flyway: %s", e.Table, e.Err)
}

// Unwrap is PostgreSQL's reason.
func (e *UnreadableError) Unwrap() error { return e.Err }

// HistoryAfter reads the rows above that rank; no table is no rows.
func (c *Conn) HistoryAfter(ctx context.Context, t history.Table, rank int) ([]history.Row, error) {
	rows, _, err := c.read(ctx, t, rank)
	return rows, err
}
