package pgtest

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { Main(m) }

func TestDatabasesAreApart(t *testing.T) {
	for range 3 {
		connection, err := pgx.Connect(t.Context(), NewDatabase(t))
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close(context.Background())
		if _, err := connection.Exec(t.Context(), "CREATE TABLE only_once (id int)"); err != nil {
			t.Error(err)
		}
	}
}

func TestNamesFit(t *testing.T) {
	if name := databaseName("Test" + strings.Repeat("Ünicode/x", 40)); len(name) > 63 {
		t.Errorf("%s has %d bytes", name, len(name))
	}
}

func BenchmarkNewDatabase(b *testing.B) {
	Server(b)
	for b.Loop() {
		NewDatabase(b)
	}
}
