package database

import (
	"context"
	"errors"
	"fmt"
)

// Rewrite carries out statements on the history in one transaction, under
// Flyway's lock. Each has to change exactly one row; otherwise all are rolled
// back and the error names the statement.
func (w *Work) Rewrite(ctx context.Context, statements []string) error {
	if _, err := w.Begin(ctx); err != nil {
		return err
	}
	for _, sql := range statements {
		tag, err := w.pg.Exec(ctx, sql)
		if err == nil && tag.RowsAffected() != 1 {
			err = fmt.Errorf("it changes %d rows, not one", tag.RowsAffected())
		}
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", sql, err), w.Rollback(ctx))
		}
	}
	_, err := w.Commit(ctx)
	return err
}
