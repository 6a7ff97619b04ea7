package database

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/history"
)

// TableFault is why Flyway can't write to the history's table: in words, and the
// SQL that mends it, "" where a person has to decide. Rights is whether only
// rights are missing.
type TableFault struct {
	Reason, Fix string
	Rights      bool
}

var kinds = map[string]string{"v": "a view", "m": "a materialized view", "p": "a partitioned table",
	"f": "a foreign table"}

// CheckTable looks at the history's table as something to be written to. It is
// nil where Flyway can, and where there is no table.
func (c *Conn) CheckTable(ctx context.Context, t history.Table) (*TableFault, error) {
	var kind, user string
	var inserts bool
	var foreign []string
	err := c.pg.QueryRow(ctx,
		`SELECT c.relkind::text, current_user::text, pg_catalog.has_table_privilege(c.oid, 'INSERT'),
		ARRAY(SELECT pg_catalog.quote_ident(a.attname) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
			AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
			AND a.attname NOT IN ('installed_rank', 'version', 'description', 'type', 'script', 'checksum', 'installed_by', 'installed_on', 'execution_time', 'success'))
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`,
		t.Schema, t.Name).Scan(&kind, &user, &inserts, &foreign)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	switch {
	case kind != "r":
		return &TableFault{Reason: fmt.Sprintf("%s is %s, and Flyway keeps its history in a plain table only", t,
			kinds[kind])}, nil
	case !inserts:
		fix := fmt.Sprintf("GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s;", t, pgx.Identifier{user}.Sanitize())
		return &TableFault{Reason: fmt.Sprintf("the role %s may not insert into the history %s", user, t), Fix: fix,
			Rights: true}, nil
	case len(foreign) > 0:
		var drops []string
		for _, column := range foreign {
			drops = append(drops, "ALTER COLUMN "+column+" DROP NOT NULL")
		}
		return &TableFault{
			Reason: fmt.Sprintf("the history %s needs a value in %s, which Flyway does not write", t,
				strings.Join(foreign, ", ")),
			Fix: fmt.Sprintf("ALTER TABLE %s %s;", t, strings.Join(drops, ", ")),
		}, nil
	}
	return nil, nil
}
