package database

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Slipway's own sessions work with the rights of the run's role in a database
// where others may create objects. Names that are not qualified, operators
// among them, are found by the search path, so an own session has PostgreSQL's
// alone. It is SET: a startup parameter would survive the RESET ALL before an
// undo script, which needs the role's path.
const pin = "SET search_path = pg_catalog, pg_temp"

// rolesPath reads what the path was before it is pinned. It has to hold
// nothing that the path decides about: no operator, no cast, no plain name.
const rolesPath = "SELECT coalesce(pg_catalog.current_schema(), ''), pg_catalog.current_schemas(false)"

// backstops are the settings that end our statements when this process
// vanishes. The server itself says which of them it knows.
var backstops = map[string]string{
	"client_connection_check_interval": "1000",
	"tcp_keepalives_idle":              "10",
	"tcp_keepalives_interval":          "5",
	"tcp_keepalives_count":             "3",
	// Keepalives rest while something sent is not acknowledged.
	"tcp_user_timeout": "25000",
}

// limits are those that a role or a database may have for the queries of an
// application. They end no migration: Slipway has limits of its own.
var limits = map[string]string{
	"statement_timeout":                   "0",
	"lock_timeout":                        "0",
	"idle_session_timeout":                "0",
	"idle_in_transaction_session_timeout": "0",
}

// ownOnly are further settings for sessions that never run a script.
var ownOnly = map[string]string{
	"transaction_timeout":           "0",
	"default_transaction_isolation": "read committed",
}

// prepare makes the session an own one: it reads the role's search path, pins
// the session's, and sets the backstops and limits that the server knows. The
// session holds the run's lock: when the whole sandbox vanishes without a
// closed socket, only the server can notice. current_setting returns NULL for a
// setting that the server does not know; pg_settings would take three times as long.
func (c *Conn) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	if err := c.pg.QueryRow(ctx, rolesPath).Scan(&c.Schema, &c.path); err != nil {
		return err
	}
	all := maps.Clone(backstops)
	maps.Copy(all, limits)
	maps.Copy(all, ownOnly)
	var values []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		values = append(values, fmt.Sprintf("('%s', '%s')", name, all[name]))
	}
	// One message, in which each statement is analysed after the one before it was run.
	known := `; SELECT name FROM (VALUES ` + strings.Join(values, ", ") + `) AS s (name, value)
		WHERE current_setting(name, true) IS NOT NULL AND set_config(name, value, false) IS NOT NULL`
	results, err := c.pg.PgConn().Exec(ctx, pin+known).ReadAll()
	if err != nil {
		return err
	}
	c.known = map[string]bool{}
	for _, row := range results[len(results)-1].Rows {
		c.known[string(row[0])] = true
	}
	c.Server, _, _ = strings.Cut(c.pg.PgConn().ParameterStatus("server_version"), " ")
	return nil
}

// SessionSettings are the settings for a session that runs scripts: the
// backstops, and no limits, as far as this server knows them (an unknown one
// would refuse the connection). The map is the caller's.
func (c *Conn) SessionSettings() map[string]string {
	m := map[string]string{}
	for _, settings := range []map[string]string{backstops, limits} {
		for name, value := range settings {
			if c.known[name] {
				m[name] = value
			}
		}
	}
	return m
}
