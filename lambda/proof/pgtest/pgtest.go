// Package pgtest gives tests a real PostgreSQL: one server for the test
// binary, one database for each test.
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		url := pgtest.NewDatabase(t)
//
// The server is started by the first test that needs it, and ends with the
// test binary, even with one that is killed.
package pgtest

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"slipway/lambda/workbench/distribution"
	"slipway/lambda/workbench/postgres"
)

// User and Password are those of the role that owns the databases. It can log
// in and own things, no more.
const (
	User     = "tester"
	Password = "not a secret"
)

// start starts the server once. A test binary is a main of its own, so the
// mirror is read here.
var start = sync.OnceValues(func() (*postgres.Server, error) {
	dir, err := distribution.DefaultDir()
	if err != nil {
		return nil, err
	}
	cache := &distribution.Cache{Dir: dir, Mirror: os.Getenv("SLIPWAY_MAVEN_MIRROR"), Progress: os.Stderr}
	server, err := postgres.Start(context.Background(), postgres.Options{Cache: cache, Ephemeral: true})
	if err != nil {
		return nil, err
	}
	running.Store(server)
	return server, server.CreateRole(context.Background(), User, Password)
})

var running atomic.Pointer[postgres.Server]

// Main runs the tests, ends the server, and exits.
func Main(m *testing.M) {
	code := m.Run()
	if server := running.Load(); server != nil {
		if err := server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Server is the server of this test binary, for tests that need roles or a
// superuser: its URL is the superuser's.
func Server(t testing.TB) *postgres.Server {
	t.Helper()
	server, err := start()
	if err != nil {
		t.Fatalf("starting PostgreSQL: %v", err)
	}
	return server
}

// NewDatabase makes an empty database that [User] owns and returns its URL
// (postgres://, with password). It is dropped when the test ends.
func NewDatabase(t testing.TB) string {
	t.Helper()
	server := Server(t)
	name := databaseName(t.Name())
	if _, err := server.CreateDatabase(t.Context(), name, User); err != nil {
		t.Fatalf("creating the database %s: %v", name, err)
	}
	t.Cleanup(func() {
		if err := server.DropDatabase(context.Background(), name); err != nil {
			t.Errorf("dropping the database %s: %v", name, err)
		}
	})
	return server.URLFor(User, Password, name)
}

var (
	counter atomic.Int64
	unusual = regexp.MustCompile(`[^a-z0-9]+`)
)

// databaseName is a name that tells the test apart, in at most 63 bytes.
func databaseName(test string) string {
	name := unusual.ReplaceAllString(strings.ToLower(test), "_")
	return fmt.Sprintf("%.50s_%d", name, counter.Add(1))
}
