package database

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Table is the table of Flyway's history.
type Table struct{ Schema, Name string }

// String is the table quoted for SQL, and as Flyway spells it.
func (t Table) String() string { return pgx.Identifier{t.Schema, t.Name}.Sanitize() }

// Row is one row of flyway_schema_history.
type Row struct {
	Rank        int
	Version     *string // nil for repeatable scripts
	Description string
	Type        string // SQL, BASELINE, DELETE, SCHEMA, …
	Script      string
	Checksum    *int32
	InstalledBy string
	InstalledOn time.Time // as the server's clock had it, taken as UTC
	Duration    int       // milliseconds
	Success     bool
}

// History reads the table by installed_rank. No table is no rows and exists=false.
func (c *Conn) History(ctx context.Context, t Table) (rows []Row, exists bool, err error) {
	return c.read(ctx, t, math.MinInt32)
}

func (c *Conn) read(ctx context.Context, t Table, after int) (rows []Row, exists bool, err error) {
	r, err := c.pg.Query(ctx, `SELECT installed_rank, version, description, type, script, checksum, installed_by, installed_on, execution_time, success
		FROM `+t.String()+` WHERE installed_rank > $1 ORDER BY installed_rank`, after)
	if err == nil {
		rows, err = pgx.CollectRows(r, func(r pgx.CollectableRow) (h Row, err error) {
			err = r.Scan(&h.Rank, &h.Version, &h.Description, &h.Type, &h.Script, &h.Checksum, &h.InstalledBy, &h.InstalledOn, &h.Duration, &h.Success)
			return h, err
		})
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "42P01" || pg.Code == "3F000") {
		return nil, false, nil
	}
	return rows, err == nil, err
}

// HistoryAfter reads the rows above that rank; no table is no rows.
func (c *Conn) HistoryAfter(ctx context.Context, t Table, rank int) ([]Row, error) {
	rows, _, err := c.read(ctx, t, rank)
	return rows, err
}
