package ground

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/workbench/distribution"
	"slipway/lambda/workbench/postgres"
)

// databaseHost is the name of the cluster's endpoint, on its certificate too.
const databaseHost = "slipway.cluster-local." + Region + ".rds.amazonaws.com"

// Database is the PostgreSQL that plays Aurora: one server for all clusters of
// the ground. It takes connections of containers with TLS only. Clusters that
// name the same database share it.
type Database struct {
	Host string
	Port int

	options postgres.Options
	server  *postgres.Server
}

func (g *Ground) startDatabase(ctx context.Context) (err error) {
	folder := filepath.Join(g.folder, "tls")
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	file := func(name string) string { return filepath.Join(folder, name) }
	if err := writeCertificates(databaseHost, file("ca.pem"), file("server.pem"), file("server.key")); err != nil {
		return err
	}
	// PostgreSQL takes a key from root if only its own group may read it besides.
	if os.Geteuid() == 0 {
		if err := errors.Join(os.Chown(file("server.key"), 0, postgres.Unprivileged),
			os.Chmod(file("server.key"), 0o640)); err != nil {
			return err
		}
	}
	rules := "host all all 127.0.0.1/32 scram-sha-256\nhostssl all all 0.0.0.0/0 scram-sha-256\n"
	if err := os.WriteFile(file("pg_hba.conf"), []byte(rules), 0o644); err != nil {
		return err
	}
	if g.Database, err = g.AddDatabase(ctx); err != nil {
		return err
	}
	return nil
}

// AddDatabase starts one more PostgreSQL. A cluster is on the server whose port
// it has.
func (g *Ground) AddDatabase(ctx context.Context) (*Database, error) {
	port, err := freePort(g.engine.listen)
	if err != nil {
		return nil, err
	}
	addresses := "127.0.0.1"
	if g.engine.listen != addresses {
		addresses += "," + g.engine.listen
	}
	file := func(name string) string { return filepath.Join(g.folder, "tls", name) }
	d := &Database{Host: databaseHost, Port: port, options: postgres.Options{
		Cache:  &distribution.Cache{Dir: g.cache, Mirror: os.Getenv("SLIPWAY_MAVEN_MIRROR"), Progress: g.options.Log},
		Folder: filepath.Join(g.folder, "postgres-"+strconv.Itoa(port)),
		Port:   port,
		Settings: map[string]string{
			"listen_addresses": addresses, "hba_file": file("pg_hba.conf"),
			"ssl": "on", "ssl_cert_file": file("server.pem"), "ssl_key_file": file("server.key"),
			"fsync": "off",
		},
	}}
	g.onClose(d.Stop)
	if err := d.Start(ctx); err != nil {
		return nil, err
	}
	// The emulator makes the roles and databases of clusters: a superuser's connection, by port.
	return d, errors.Join(os.MkdirAll(g.servers(), 0o755), os.WriteFile(filepath.Join(g.servers(), strconv.Itoa(port)),
		[]byte(d.server.URL("")), 0o600))
}

func (g *Ground) servers() string { return filepath.Join(g.folder, "servers") }

// Start starts the server, with the data it had and at the same address.
func (d *Database) Start(ctx context.Context) (err error) {
	d.server, err = postgres.Start(ctx, d.options)
	return err
}

// Stop stops the server; connections are refused until [Database.Start].
func (d *Database) Stop() error {
	if d.server == nil {
		return nil
	}
	return d.server.Stop()
}

// Connect opens a connection of a superuser.
func (d *Database) Connect(ctx context.Context, database string) (*pgx.Conn, error) {
	return pgx.Connect(ctx, d.server.URL(database))
}

// Texts runs a query and returns its rows, which have one column of text.
func (d *Database) Texts(ctx context.Context, database, query string) ([]string, error) {
	connection, err := d.Connect(ctx, database)
	if err != nil {
		return nil, err
	}
	defer connection.Close(ctx)
	rows, err := connection.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Exec runs statements.
func (d *Database) Exec(ctx context.Context, database, statements string) error {
	connection, err := d.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	_, err = connection.Exec(ctx, statements)
	return err
}

// String is the address.
func (d *Database) String() string { return fmt.Sprintf("%s:%d", d.Host, d.Port) }
