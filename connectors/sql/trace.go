package sql

import (
	"cmp"
	"context"
	stdsql "database/sql"
	"strings"
	"unicode"

	"github.com/provhub/provhub/connectors/connector/span"
	"github.com/provhub/provhub/connectors/sql/dialect"
)

// systems are OpenTelemetry's words for products, where ours differ.
var systems = map[string]string{"postgres": "postgresql", "sqlserver": "microsoft.sql_server", "oracle": "oracle.db"}

// request is a span of the database under way; its methods do nothing where nothing is
// traced. It never has the statement, which may hold values.
type request struct {
	*span.Span
	d *dialect.Dialect
}

// begin begins the span of what verb says, such as SELECT.
func begin(ctx context.Context, d *dialect.Dialect, h *dialect.Handle, verb string) (context.Context, request) {
	ctx, s := span.Request(ctx, verb)
	if s != nil {
		s.Text("db.system.name", cmp.Or(systems[d.Name], d.Name)).Text("db.operation.name", verb)
	}
	if s != nil && h.Endpoint.Network == "tcp" {
		s.To(h.Endpoint.Host, h.Endpoint.Port)
	}
	return ctx, request{s, d}
}

// end ends it as what the database said means.
func (r request) end(err error) {
	if r.Span == nil {
		return
	}
	if err == nil {
		r.End(nil)
		return
	}
	f := r.d.FaultOf(err)
	_, status, _ := strings.Cut(f.Native, " ") // "SQLSTATE 23505"
	r.Text("db.response.status_code", status)
	r.End(f.Error())
}

// traced runs one statement as a span that is called after its first word.
func traced[T any](ctx context.Context, d *dialect.Dialect, h *dialect.Handle, sql string, run func(context.Context) (T, error)) (T, error) {
	sql = strings.TrimSpace(sql)
	verb := sql
	if end := strings.IndexFunc(sql, func(r rune) bool { return !unicode.IsLetter(r) }); end >= 0 {
		verb = sql[:end]
	}
	ctx, r := begin(ctx, d, h, cmp.Or(strings.ToUpper(verb), "statement"))
	v, err := run(ctx)
	r.end(err)
	return v, err
}

// commit ends a transaction.
func (s *session) commit(ctx context.Context, tx *stdsql.Tx) error {
	_, r := begin(ctx, s.of.d, s.of.h, "COMMIT")
	err := tx.Commit()
	r.end(err)
	return err
}
