package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// CreateRole makes a role that can log in, or gives an existing one this
// password. Attributes are as in CREATE ROLE: SUPERUSER, CREATEROLE; default:
// none. Any name of 1 to 63 bytes and any password will do, but for NUL.
func (s *Server) CreateRole(ctx context.Context, name, password string, attributes ...string) error {
	clause := fmt.Sprintf("ROLE %s LOGIN %s PASSWORD '%s'", quote(name),
		strings.Join(attributes, " "), strings.ReplaceAll(password, "'", "''"))
	return s.do(ctx, func(connection *pgx.Conn) error {
		_, err := connection.Exec(ctx, "CREATE "+clause)
		if isState(err, "42710") { // duplicate_object
			_, err = connection.Exec(ctx, "ALTER "+clause)
		}
		return err
	})
}

// CreateDatabase makes a database that owner owns; empty means the superuser.
// created is false when there is a database of that name already, which is
// left as it is.
func (s *Server) CreateDatabase(ctx context.Context, name, owner string) (created bool, err error) {
	if owner == "" {
		owner = Superuser
	}
	err = s.do(ctx, func(connection *pgx.Conn) error {
		_, err := connection.Exec(ctx, fmt.Sprintf("CREATE DATABASE %s OWNER %s TEMPLATE template0", quote(name),
			quote(owner)))
		return err
	})
	if isState(err, "42P04") { // duplicate_database
		return false, nil
	}
	return err == nil, err
}

// DropDatabase deletes a database and ends its connections. One that isn't
// there is no error.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	return s.do(ctx, func(connection *pgx.Conn) error {
		_, err := connection.Exec(ctx, fmt.Sprintf("DROP DATABASE IF EXISTS %s WITH (FORCE)", quote(name)))
		return err
	})
}

// do calls f with a connection of the superuser.
func (s *Server) do(ctx context.Context, f func(*pgx.Conn) error) error {
	connection, err := pgx.Connect(ctx, s.URL(""))
	if err != nil {
		return err
	}
	defer connection.Close(context.WithoutCancel(ctx))
	return f(connection)
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func isState(err error, state string) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == state
}
