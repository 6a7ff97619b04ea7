// Package catalog describes the schema of a PostgreSQL database as text, for
// comparison: tables, columns, types, defaults, constraints, indexes, views,
// functions, sequences, triggers, enums, extensions, policies, privileges and comments.
//
// Two databases that the same statements made have the same text, whatever
// their object identifiers and whichever order the server answers in. What the
// text does not say: the rows of tables, the values of sequences, the physical
// order of columns (see [Options.ColumnOrder]).
package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Options choose what is described. The zero value is all schemas but
// PostgreSQL's own.
type Options struct {
	// Ignore are tables to leave out, with what belongs to them, such as
	// "flyway_schema_history" (in any schema) or "audit.flyway_schema_history".
	Ignore []string
	// ColumnOrder makes the order of a table's columns count. A column that is
	// dropped and added again moves to the end, and nothing can put it back.
	ColumnOrder bool
}

// Snapshot describes the database, one object or property a line, sorted.
func Snapshot(ctx context.Context, conn *pgx.Conn, o Options) (string, error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return "", err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // it only read
	return Describe(ctx, tx, o)
}

// Describe is [Snapshot] as a transaction sees it. It sets the transaction's search_path.
func Describe(ctx context.Context, tx pgx.Tx, o Options) (string, error) {
	// Definitions name what is not on the search path with its schema: so, everything.
	if _, err := tx.Exec(ctx, "SET LOCAL search_path = pg_catalog"); err != nil {
		return "", err
	}
	var lines []string
	for _, q := range queries {
		rows, err := tx.Query(ctx, with+q, pgx.QueryExecModeExec, o.Ignore, o.ColumnOrder)
		if err == nil {
			var some []string
			some, err = pgx.CollectRows(rows, pgx.RowTo[string])
			lines = append(lines, some...)
		}
		if err != nil {
			return "", fmt.Errorf("the catalog: %w", err)
		}
	}
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(strings.TrimSpace(line), "\n", "\n    ")
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n", nil
}

// SnapshotOf is [Snapshot] of the database at that URL.
func SnapshotOf(ctx context.Context, url string, o Options) (string, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost with it
	return Snapshot(ctx, conn, o)
}

// Diff lists the lines that only one of two snapshots has, "-" before what is
// missing from got and "+" before what is not in want. "" means no difference.
func Diff(want, got string) string {
	count := map[string]int{}
	entries := func(s string) []string {
		return strings.Split(strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n    ", "\x00"), "\n")
	}
	for _, line := range entries(want) {
		count[line]--
	}
	for _, line := range entries(got) {
		count[line]++
	}
	var out []string
	for line, n := range count {
		line = strings.ReplaceAll(line, "\x00", "\n    ")
		for ; n < 0; n++ {
			out = append(out, "- "+line)
		}
		for ; n > 0; n-- {
			out = append(out, "+ "+line)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		return strings.Compare(a[2:]+a[:1], b[2:]+b[:1])
	})
	return strings.Join(out, "\n")
}
