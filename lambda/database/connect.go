package database

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"slipway/lambda/report"
)

// Conn is Slipway's own session beside Flyway's: it reads the history, holds
// the run's lock, and cancels.
type Conn struct {
	pg     *pgx.Conn
	target Target
	known  map[string]bool // which of the backstops this server has
	Server string          // version, such as "17.5"
	Schema string          // the first of the search path that exists, "" if there is none
}

// Connect opens a session under that application_name. What may pass (no
// route, refused, starting up, resuming from zero capacity) is tried again with
// backoff for as long as wait; the rest fails at once. Failures are
// DATABASE_UNREACHABLE, ACCESS_DENIED and DATABASE_MISSING; a deadline of ctx
// ends the wait early, with the last of them.
func Connect(ctx context.Context, t Target, application string, wait time.Duration) (*Conn, error) {
	config, err := t.config(application)
	if err != nil {
		return nil, err
	}
	giveUp := time.Now().Add(wait)
	var last error
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		attempt, cancel := context.WithTimeout(ctx, 15*time.Second)
		pg, err := pgx.ConnectConfig(attempt, config)
		cancel()
		if err == nil {
			c := &Conn{pg: pg, target: t}
			if err = c.learn(ctx); err == nil {
				return c, nil
			}
			c.Close()
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, context.Cause(ctx)
		}
		passing, failure := t.classify(err)
		if ctx.Err() == nil || last == nil {
			last = failure
		}
		left := time.Until(giveUp)
		if ctx.Err() != nil || !passing || left <= 0 {
			return nil, last
		}
		select {
		case <-time.After(min(pause, left)):
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return nil, context.Cause(ctx)
			}
			return nil, last
		}
	}
}

func (t Target) config(application string) (*pgx.ConnConfig, error) {
	quote := func(s string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
	}
	dsn := fmt.Sprintf("host=%s port=%d dbname=%s user=%s passfile=/dev/null connect_timeout=10 application_name=%s",
		quote(t.Host), t.Port, quote(t.Name), quote(t.User), quote(application))
	if t.TLS.Insecure {
		dsn += " sslmode=prefer"
	} else {
		dsn += " sslmode=verify-full sslrootcert=" + quote(t.TLS.RootCert)
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, report.Failf(report.BadRequest, "Check PGSSLROOTCERT and the database's address.", "the connection's settings are not usable: %w", err)
	}
	config.Password = string(t.Password)
	// Statements are few and never repeated: no prepared statements, which a
	// pooler in transaction mode would lose.
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	config.RuntimeParams["timezone"] = "UTC"
	return config, nil
}

// backstops are the settings that end our statements when this process
// vanishes; which of them the server knows, it says itself.
var backstops = map[string]string{
	"client_connection_check_interval": "1000",
	"tcp_keepalives_idle":              "10",
	"tcp_keepalives_interval":          "5",
	"tcp_keepalives_count":             "3",
	// Keepalives rest while something sent is not acknowledged.
	"tcp_user_timeout": "25000",
}

// learn sets the backstops for this session, which holds the run's lock: when the
// whole sandbox vanishes without a closed socket, only the server can notice.
// current_setting answers NULL for one that the server does not know; asking
// pg_settings would take three times as long.
func (c *Conn) learn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	var values []string
	for name, value := range backstops {
		values = append(values, fmt.Sprintf("('%s', '%s')", name, value))
	}
	var known []string
	err := c.pg.QueryRow(ctx, `SELECT coalesce(current_schema(), ''), ARRAY(SELECT name FROM (VALUES `+strings.Join(values, ", ")+`) AS s (name, value)
		WHERE current_setting(name, true) IS NOT NULL AND set_config(name, value, false) IS NOT NULL)`).Scan(&c.Schema, &known)
	c.known = map[string]bool{}
	for _, name := range known {
		c.known[name] = true
	}
	c.Server, _, _ = strings.Cut(c.pg.PgConn().ParameterStatus("server_version"), " ")
	return err
}

// Backstops are the settings for a session of Flyway's that this server knows
// (an unknown one would refuse the connection).
func (c *Conn) Backstops() map[string]string {
	m := map[string]string{}
	for name, value := range backstops {
		if c.known[name] {
			m[name] = value
		}
	}
	return m
}

// Close ends the session, and with it its locks.
func (c *Conn) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.pg.Close(ctx)
}

// classify says whether a failure to connect may pass, and what it is.
func (t Target) classify(err error) (passing bool, failure error) {
	at := fmt.Sprintf("%s on %s as %s", t.Name, t.Address(), t.User)
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		f := report.Failf(report.DatabaseUnreachable, "Run it again when the server takes connections.", "the server refuses a session in %s: %s", at, pg.Message)
		f.SQLState, f.Err = pg.Code, err
		switch {
		case pg.Code == "28P01" || pg.Code == "28000" || pg.Code == "42501":
			f.Code, f.Next = report.AccessDenied, "Check the secret's username and password, and that the role may log in and connect to this database."
			if pg.Code == "28000" && strings.Contains(pg.Message, "pg_hba.conf") {
				f.Next = "The server's pg_hba.conf (on Aurora: parameters such as rds.force_ssl) refuses this user, address or encryption."
			}
		case pg.Code == "3D000":
			f.Code, f.Next = report.DatabaseMissing, "Create the database, or correct its name (PGDATABASE, or dbname in the secret)."
		default: // starting up, shutting down, too many connections, …
			passing = Passing(pg.Code)
		}
		return passing, f
	}
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	next := "Check host, port and the security groups between the function and the database, and that the cluster is running."
	switch {
	case errors.As(err, &authority), errors.As(err, &invalid):
		next = "The server's certificate is not of a trusted authority: point PGSSLROOTCERT at its CA, or set SLIPWAY_INSECURE_TLS=true for a local server."
	case errors.As(err, &name):
		next = "The server's certificate is for another host: connect by the name that it holds (the cluster's endpoint, not an address or alias)."
	case strings.Contains(err.Error(), "refused TLS"):
		next = "The server offers no TLS: turn it on, or set SLIPWAY_INSECURE_TLS=true for a local server."
	default:
		passing = true
	}
	return passing, report.Failf(report.DatabaseUnreachable, next, "no connection to %s: %w", at, err)
}

// Passing reports whether a server that refuses a session with that SQLSTATE
// may take one a moment later: starting up, full, or out of reach.
func Passing(state string) bool {
	return strings.HasPrefix(state, "57P") || state == "53300" || strings.HasPrefix(state, "08")
}

// IsConnectionError reports whether the session was lost.
func IsConnectionError(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "57P")
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "conn closed")
}

// Denied makes an ACCESS_DENIED of a statement that the role has no right to, or
// that a read-only session refuses; other errors stay as they are.
func Denied(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != "42501" && pg.Code != "25006" {
		return err
	}
	next := "Grant the role what the message names, or migrate as the owner of the schema."
	if pg.Code == "25006" {
		next = "Connect to the writer of the cluster. Where the program only reads (SLIPWAY_READ_ONLY=true), make the history a plain table: something behind it writes."
	}
	f := report.Failf(report.AccessDenied, next, "%s", pg.Message)
	f.SQLState, f.Err = pg.Code, err
	return f
}
