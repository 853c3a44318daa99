package store

import (
	"context"
	"net/url"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
)

// connectionsMax bounds the connections to PostgreSQL.
const connectionsMax = 16

func (s *Store) openPostgres(ctx context.Context, dsn string) error {
	s.dialect = postgresDialect
	s.name, s.dsn = withoutCredentials(dsn), dsn
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return err
	}
	cfg.DialFunc = s.lines.through(cfg.DialFunc)
	db := sqlx.NewDb(stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(setUp)), "pgx")
	db.SetMaxOpenConns(connectionsMax)
	db.SetMaxIdleConns(connectionsMax / 2)
	s.writer, s.reader, s.staging = db, db, db
	return db.PingContext(ctx)
}

// noCompiling keeps PostgreSQL from compiling statements: all of ours take
// milliseconds, and compiling one takes seconds.
const noCompiling = `SET jit = off`

// gone has the server notice within six seconds by itself that this end is gone, so that
// the locks of a machine that was cut off become free, those of its transactions as
// well: not before that machine knows that it has lost them.
const gone = `SET tcp_keepalives_idle = 3; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 6000`

// setUp sets up every connection.
func setUp(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, noCompiling+"; "+gone)
	return err
}

// withoutCredentials names a database as people may see it: no user, no
// password, no parameters.
func withoutCredentials(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		return "postgres://(not a valid URL)"
	}
	return (&url.URL{Scheme: "postgres", Host: u.Host, Path: u.Path}).String()
}
