// Package dialect holds what differs between databases: how names are quoted
// and values bound, how a row is locked and a page cut, what the catalogue says
// of a table, what an error code means, and how a connection string is opened
// without giving up TLS.
//
// Nothing above this package spells SQL for one product.
package dialect

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Dialect is one database product. Names and values come in as they are; the
// dialect quotes the former and never sees the latter.
type Dialect struct {
	Name  string // "postgres": the word in the config
	Title string // "PostgreSQL": the word for people
	// Proven: the whole test suite runs against a real server of this product.
	// The others share the generated SQL, which is tested as text.
	Proven bool

	quoteOpen, quoteClose string
	placeholder           func(n int) string
	// lockHint stands after the table, lockSuffix at the end of a SELECT.
	lockHint, lockSuffix string
	// page renders "at most n rows" in front of the columns or at the end.
	page pageForm
	// newID says how an INSERT tells the id that the database gave.
	newID idForm

	// EmptyIsNull: "" and NULL are the same value (Oracle).
	EmptyIsNull bool
	// OneWriter: a single transaction writes at a time, so that the accounts of a
	// batch share one, each in a savepoint (SQLite).
	OneWriter bool
	// ReadCommitted asks for that isolation; it keeps InnoDB from locking the gap
	// where two creates are about to insert.
	ReadCommitted bool

	// Classify says what err means; false when it is not an error of this product.
	Classify func(err error) (Fault, bool)
	// ReadTable reads the catalogue. ErrNoTable when there is no such table.
	ReadTable func(ctx context.Context, q Queryer, schema, table string) (*Table, error)
	// MissingRights returns those of wanted (SELECT, INSERT, UPDATE, DELETE) that
	// the login does not have on a table.
	MissingRights func(ctx context.Context, q Queryer, t *Table, wanted []string) ([]string, error)
	// Version asks the server what it is.
	Version string
	// Fingerprint asks which of all databases of this product it is; "": it cannot
	// tell in a way that survives a failover.
	Fingerprint string

	open func(dsn string, o Options) (*Handle, error)
}

// Queryer reads: a *sql.DB, *sql.Conn or *sql.Tx.
type Queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

type pageForm int

const (
	pageLimit pageForm = iota // … LIMIT n
	pageTop                   // SELECT TOP (n) …
	pageFetch                 // … FETCH FIRST n ROWS ONLY
)

type idForm int

const (
	idReturning idForm = iota // … RETURNING id
	idOutput                  // INSERT … OUTPUT INSERTED.id VALUES …
	idLast                    // the driver's LastInsertId
	idInto                    // … RETURNING id INTO :n
)

// All lists the dialects, proven ones first.
var All = []*Dialect{Postgres, MySQL, SQLite, SQLServer, Oracle}

// ByName returns the dialect called name, nil when there is none.
func ByName(name string) *Dialect {
	i := slices.IndexFunc(All, func(d *Dialect) bool { return d.Name == name })
	if i < 0 {
		return nil
	}
	return All[i]
}

// schemes are the beginnings of a connection string that name their dialect.
var schemes = []struct{ prefix, dialect string }{
	{"postgres://", "postgres"}, {"postgresql://", "postgres"},
	{"mysql://", "mysql"}, {"mariadb://", "mysql"},
	{"sqlite:", "sqlite"}, {"file:", "sqlite"},
	{"sqlserver://", "sqlserver"}, {"oracle://", "oracle"},
}

// Of returns the dialect that a config names, or else the one that dsn begins
// with. Its error does not repeat dsn.
func Of(name, dsn string) (*Dialect, error) {
	if name != "" {
		if d := ByName(name); d != nil {
			return d, nil
		}
		return nil, fmt.Errorf("dialect %q is not known; use postgres, mysql, sqlite, sqlserver or oracle", name)
	}
	for _, s := range schemes {
		if strings.HasPrefix(dsn, s.prefix) {
			return ByName(s.dialect), nil
		}
	}
	return nil, fmt.Errorf(`the secret "dsn" does not begin with postgres://, mysql://, sqlite: or sqlserver://; write it so, or set "dialect"`)
}

// ansiTable renders a table with double quotes.
func ansiTable(schema, table string) string {
	return (&Dialect{quoteOpen: `"`, quoteClose: `"`}).QuoteTable(schema, table)
}

// Quote renders one identifier. The closing quote inside it is doubled, so that
// no name can end early.
func (d *Dialect) Quote(name string) string {
	return d.quoteOpen + strings.ReplaceAll(name, d.quoteClose, d.quoteClose+d.quoteClose) + d.quoteClose
}

// QuoteTable renders a table with its schema, "" for the default one.
func (d *Dialect) QuoteTable(schema, table string) string {
	if schema == "" {
		return d.Quote(table)
	}
	return d.Quote(schema) + "." + d.Quote(table)
}

// Placeholder renders the n-th bind parameter, from 1.
func (d *Dialect) Placeholder(n int) string { return d.placeholder(n) }

func question(int) string { return "?" }

func numbered(prefix string) func(int) string {
	return func(n int) string { return prefix + strconv.Itoa(n) }
}
