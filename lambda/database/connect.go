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
	known  map[string]bool // which of the backstops and limits this server has
	path   []string        // the role's search path as far as it exists, before it was pinned
	Server string          // version, such as "17.5"
	Schema string          // the first of the role's search path that exists, "" if there is none
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
			if err = c.prepare(ctx); err == nil {
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
		return nil, report.Failf(report.BadRequest, "the connection's settings are not usable: %w", err).
			Next("Check PGSSLROOTCERT and the database's address.")
	}
	config.Password = string(t.Password)
	// Statements are few and never repeated: no prepared statements, which a
	// pooler in transaction mode would lose.
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	config.RuntimeParams["timezone"] = "UTC"
	// What the driver needs, whatever the role has.
	config.RuntimeParams["standard_conforming_strings"] = "on"
	config.RuntimeParams["client_encoding"] = "UTF8"
	config.RuntimeParams["datestyle"] = "ISO"
	return config, nil
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
		f := report.Failf(report.DatabaseUnreachable, "the server refuses a session in %s: %s", at, pg.Message).
			Next("Run it again when the server takes connections.")
		f.SQLState, f.Err = pg.Code, err
		switch {
		case pg.Code == "28P01" || pg.Code == "28000" || pg.Code == "42501":
			f.Code, f.NextStep = report.AccessDenied, "Check the secret's username and password, and that the role "+
				"may log in and connect to this database."
			if pg.Code == "28000" && strings.Contains(pg.Message, "pg_hba.conf") {
				f.NextStep = "The server's pg_hba.conf (on Aurora: parameters such as rds.force_ssl) refuses this " +
					"user, address or encryption."
			}
		case pg.Code == "3D000":
			f.Code, f.NextStep = report.DatabaseMissing,
				"Create the database, or correct its name (PGDATABASE, or dbname in the secret)."
		default: // starting up, shutting down, too many connections, …
			passing = Passing(pg.Code)
		}
		return passing, f
	}
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	next := "Check host, port and the security groups between the function and the database, and that the cluster " +
		"is running."
	switch {
	case errors.As(err, &authority), errors.As(err, &invalid):
		next = "The server's certificate is not of a trusted authority: point PGSSLROOTCERT at its CA, or set " +
			"SLIPWAY_INSECURE_TLS=true for a local server."
	case errors.As(err, &name):
		next = "The server's certificate is for another host: connect by the name that it holds (the cluster's " +
			"endpoint, not an address or alias)."
	case strings.Contains(err.Error(), "refused TLS"):
		next = "The server offers no TLS: turn it on, or set SLIPWAY_INSECURE_TLS=true for a local server."
	default:
		passing = true
	}
	return passing, report.Failf(report.DatabaseUnreachable, "no connection to %s: %w", at, err).Next(next)
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
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		strings.Contains(err.Error(), "conn closed")
}

// Denied makes an ACCESS_DENIED of a statement that the role has no right to, and
// a DATABASE_UNREACHABLE of one that a read-only session refuses, as on a reader;
// other errors stay as they are.
func Denied(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != "42501" && pg.Code != "25006" {
		return err
	}
	code, next := report.AccessDenied, "Grant the role what the message names, or migrate as the owner of the schema."
	if pg.Code == "25006" {
		code = report.DatabaseUnreachable
		next = "Connect to the writer of the cluster. Where the program only reads (SLIPWAY_READ_ONLY=true), make " +
			"the history a plain table: something behind it writes."
	}
	f := report.Failf(code, "%s", pg.Message).Next(next)
	f.SQLState, f.Err = pg.Code, err
	return f
}
