package sql

import (
	"context"
	stdsql "database/sql"
	"strings"

	"github.com/provhub/provhub/connectors/connector/span"
)

// traced runs one statement as a span that is called after its first word.
func traced[T any](ctx context.Context, sql string, run func(context.Context) (T, error)) (T, error) {
	verb, _, _ := strings.Cut(strings.TrimSpace(sql), " ")
	ctx, s := span.Request(ctx, verb)
	v, err := run(ctx)
	s.End(err)
	return v, err
}

// commit ends a transaction.
func commit(ctx context.Context, tx *stdsql.Tx) error {
	_, s := span.Request(ctx, "COMMIT")
	err := tx.Commit()
	s.End(err)
	return err
}
