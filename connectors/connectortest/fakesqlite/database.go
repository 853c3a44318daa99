// Package fakesqlite makes databases for tests: SQLite files with the tables of
// a target, in a folder of their own.
package fakesqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver
)

// Options say what the database is like.
type Options struct {
	// Schema is SQL that makes the tables and what is in them at first; "": none.
	Schema string
}

// Database is one file. Its DB is the way past the connector.
type Database struct {
	DB     *sql.DB
	folder string
}

// New makes a database. Close it.
func New(o Options) (*Database, error) {
	folder, err := os.MkdirTemp("", "provhub-fake-sqlite-")
	if err != nil {
		return nil, fmt.Errorf("fakesqlite: %w", err)
	}
	d := &Database{folder: folder}
	d.DB, err = sql.Open("sqlite", "file:"+d.Path()+"?_pragma=busy_timeout(5000)")
	if err == nil {
		// Readers and the one writer do not wait for each other.
		_, err = d.DB.Exec("PRAGMA journal_mode = WAL")
	}
	if err == nil {
		_, err = d.DB.Exec(o.Schema)
	}
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("fakesqlite: the schema: %w", err)
	}
	return d, nil
}

// Path is where the file is.
func (d *Database) Path() string { return filepath.Join(d.folder, "app.db") }

// DSN is the address as the sql connector writes it.
func (d *Database) DSN() string { return "sqlite:" + d.Path() }

// Close removes the database.
func (d *Database) Close() { _ = errors.Join(d.DB.Close(), os.RemoveAll(d.folder)) }
