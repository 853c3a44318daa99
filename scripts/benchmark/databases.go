package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

// appTable is the target: the users of some app.
const appTable = `CREATE TABLE app_user (
	id %s PRIMARY KEY,
	login text NOT NULL UNIQUE,
	email text,
	given_name text,
	family_name text,
	employee_no text,
	title text,
	active boolean NOT NULL DEFAULT true)`

// newSQLiteSite makes a site with an app on SQLite as its target.
func (b *bench) newSQLiteSite(ctx context.Context, s setting) (*site, error) {
	b.made++
	path := filepath.Join(b.dir, fmt.Sprintf("app%d.db", b.made))
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, fmt.Sprintf(appTable, "integer")); err != nil {
		return nil, err
	}
	return b.newSQLSite(ctx, s, "sqlite", "sqlite:"+path)
}

// newPostgresSite makes a site with an app on the given PostgreSQL as its target.
func (b *bench) newPostgresSite(ctx context.Context, server string, s setting) (*site, error) {
	dsn, err := b.newDatabase(ctx, server)
	if err != nil {
		return nil, err
	}
	if err := onPostgres(ctx, dsn, fmt.Sprintf(appTable, "bigint GENERATED ALWAYS AS IDENTITY")); err != nil {
		return nil, err
	}
	return b.newSQLSite(ctx, s, "postgres", dsn)
}

func (b *bench) newSQLSite(ctx context.Context, s setting, dialect, dsn string) (*site, error) {
	s.Plugin, s.Dialect, s.DSN, s.Attributes = "sql", dialect, dsn, inTable
	s.Config = "{dialect: " + dialect + ", users: {table: app_user, key: login, id: id, enabled: {column: active}}}"
	s.SecretName, s.Secret = "dsn", dsn
	return b.newSite(ctx, s)
}

// newDatabase makes an empty database and returns its URL.
func (b *bench) newDatabase(ctx context.Context, server string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", fmt.Errorf("the URL of the test server cannot be read")
	}
	b.made++
	name := fmt.Sprintf("bench_%d_%d", os.Getpid(), b.made)
	if err := onPostgres(ctx, server, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// dropDatabase removes a database that newDatabase made; another URL is left alone.
func dropDatabase(ctx context.Context, server, dsn string) error {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme != "postgres" {
		return nil
	}
	return onPostgres(ctx, server, "DROP DATABASE "+u.Path[1:]+" WITH (FORCE)")
}

// onPostgres runs one statement over a connection of its own.
func onPostgres(ctx context.Context, dsn, statement string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// rows counts the accounts in the target of a site.
func (s *site) rows(ctx context.Context) (n int, err error) {
	driver, dsn := "pgx", s.DSN
	if s.Dialect == "sqlite" {
		driver, dsn = "sqlite", "file:"+s.DSN[len("sqlite:"):]
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, "SELECT COUNT(*) FROM app_user").Scan(&n)
	return n, err
}
