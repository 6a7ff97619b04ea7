package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"slipway/lambda/workbench/postgres"
	"slipway/lambda/workbench/secrets"

	"github.com/jackc/pgx/v5"
)

// passwordOf is the local role's password on a server: made from the
// superuser's, since runs at the same time must agree on it. It has the
// characters that break URLs, shells and SQL.
func passwordOf(server *postgres.Server) string {
	sum := sha256.Sum256([]byte(server.Password()))
	return "p@:/%'\"\\$ {}&?#\n€ß " + hex.EncodeToString(sum[:8])
}

// target is a database to migrate, as the program sees it.
type target struct {
	// secret is what Secrets Manager holds of it.
	secret map[string]any
	// env are further variables of the program: TLS.
	env map[string]string
	// created tells a database that was made just now.
	created bool
	// close ends what was started for it.
	close func() error
}

// local makes sure that the database for these scripts is there.
func (b *bench) local(ctx context.Context, sql string) (*target, error) {
	server, err := b.server(ctx)
	if err != nil {
		return nil, err
	}
	t, err := b.localOn(ctx, server, databaseName(sql))
	if err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return t, nil
}

func (b *bench) localOn(ctx context.Context, server *postgres.Server, name string) (*target, error) {
	password := passwordOf(server)
	// It stands for the master user of RDS, who has nearly a superuser's rights
	// (rds_superuser), for instance to create extensions.
	if err := server.CreateRole(ctx, b.role, password, "SUPERUSER"); err != nil {
		return nil, err
	}
	created, err := server.CreateDatabase(ctx, name, b.role)
	if err != nil {
		return nil, err
	}
	return &target{
		secret: map[string]any{
			"engine": "postgres", "username": b.role, "password": password,
			"host": "127.0.0.1", "port": server.Port, "dbname": name,
		},
		env: map[string]string{"SLIPWAY_INSECURE_TLS": "true"}, created: created, close: server.Stop,
	}, nil
}

var unusual = regexp.MustCompile(`[^a-z0-9]+`)

// databaseName is the local database of a folder of scripts: slipway for the
// project's own, for others a name with the folder's in it. Folders inside the
// project keep theirs when the project moves.
func databaseName(sql string) string {
	folder, here := filepath.Clean(sql), ""
	if absolute, err := filepath.Abs(sql); err == nil {
		folder = absolute
		if here, err = os.Getwd(); err == nil {
			if relative, err := filepath.Rel(here, absolute); err == nil && filepath.IsLocal(relative) {
				folder = filepath.ToSlash(relative)
			}
		}
	}
	if folder == defaultSQL {
		return "slipway"
	}
	sum := sha256.Sum256([]byte(folder))
	name := strings.Trim(unusual.ReplaceAllString(strings.ToLower(filepath.Base(folder)), "_"), "_")
	return strings.TrimPrefix(fmt.Sprintf("%.40s_%x", name, sum[:4]), "_")
}

// systemAuthorities are where systems keep the certificates that they trust.
var systemAuthorities = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/cert.pem"}

// existing is the database of a URL, which errors call by the setting's name.
// A password that the URL lacks is looked for where libpq does, in PGPASSWORD
// first. TLS is verified, unless its sslmode is weaker or it is on this machine
// and says nothing of TLS.
func (b *bench) existing(setting, text string) (*target, error) {
	// Errors of the parsers quote the URL, and with it the password.
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return nil, usageError{fmt.Errorf("%s should look like postgres://user@host:5432/database, with the "+
			"password in PGPASSWORD (%%-encode what is special in the user's name)", setting)}
	}
	query := u.Query()
	mode, root := query.Get("sslmode"), query.Get("sslrootcert")
	// Only the address is wanted of the parser, which would read certificates.
	for _, name := range []string{"sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding"} {
		query.Del(name)
	}
	u.RawQuery = query.Encode()
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, usageError{fmt.Errorf("%s can't be read: it should look like postgres://user@host:5432/database",
			setting)}
	}
	if u.Hostname() == "" || strings.Contains(u.Host, ",") || strings.HasPrefix(config.Host, "/") {
		return nil, usageError{fmt.Errorf("%s must name one host", setting)}
	}
	if config.Database == "" {
		return nil, usageError{fmt.Errorf("%s names no database: add /name", setting)}
	}
	t := &target{
		secret: map[string]any{
			"engine": "postgres", "username": config.User, "password": config.Password,
			"host": config.Host, "port": int(config.Port), "dbname": config.Database,
		},
		env: map[string]string{}, close: func() error { return nil },
	}
	nearby := config.Host == "localhost" || config.Host == "127.0.0.1" || config.Host == "::1"
	switch mode {
	case "verify-full":
	case "":
		if nearby {
			t.env["SLIPWAY_INSECURE_TLS"] = "true"
		}
	case "disable", "allow", "prefer", "require", "verify-ca":
		t.env["SLIPWAY_INSECURE_TLS"] = "true"
	default:
		return nil, usageError{fmt.Errorf("%s: there is no sslmode %q", setting, mode)}
	}
	if t.env["SLIPWAY_INSECURE_TLS"] != "" || b.env["SLIPWAY_INSECURE_TLS"] == "true" {
		return t, nil
	}
	if t.env["PGSSLROOTCERT"] = root; root == "" || root == "system" {
		t.env["PGSSLROOTCERT"] = b.authorities()
	}
	return t, nil
}

// external is [bench.existing]. It prints, before anything is changed there,
// which database that is: it was not made here.
func (b *bench) external(setting, text string) (*target, error) {
	t, err := b.existing(setting, text)
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort(fmt.Sprint(t.secret["host"]), fmt.Sprint(t.secret["port"]))
	b.say("%s: database %q on %s as user %q", setting, t.secret["dbname"], address, t.secret["username"])
	return t, nil
}

func (b *bench) authorities() string {
	for _, file := range append([]string{b.env["PGSSLROOTCERT"], b.env["SSL_CERT_FILE"]}, systemAuthorities...) {
		if _, err := os.Stat(file); file != "" && err == nil {
			return file
		}
	}
	return ""
}

// serve keeps the secret of t and puts into env where to find it.
func (t *target) serve(env map[string]string) (*secrets.Server, error) {
	server, err := secrets.Start()
	if err != nil {
		return nil, err
	}
	arn, err := server.SetJSON("slipway", t.secret)
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	env["MASTER_SECRET_ARN"] = arn
	env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = server.URL
	env["AWS_REGION"] = "eu-central-1"
	env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = "local", "local"
	// The user's own profile must not count.
	env["AWS_CONFIG_FILE"], env["AWS_SHARED_CREDENTIALS_FILE"] = os.DevNull, os.DevNull
	return server, nil
}
