package store

import (
	"context"
	"net/url"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/jmoiron/sqlx"
)

// connectionsMax bounds the connections to PostgreSQL.
const connectionsMax = 16

func (s *Store) openPostgres(ctx context.Context, dsn string) error {
	s.dialect = postgresDialect
	s.name, s.dsn = withoutCredentials(dsn), dsn
	db, err := sqlx.Open("pgx", dsn)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(connectionsMax)
	db.SetMaxIdleConns(connectionsMax / 2)
	s.writer, s.reader, s.staging = db, db, db
	return db.PingContext(ctx)
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
