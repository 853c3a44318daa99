package dialect

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

// ErrNoTable says that the catalogue knows no such table, or hides it from us.
var ErrNoTable = errors.New("no such table")

// Table is what the catalogue says of one table.
type Table struct {
	Schema, Name string
	Columns      []Column
	// Unique lists the column sets that no two rows share. Partial indexes and
	// indexes on expressions are left out: they do not cover every row.
	Unique [][]string
	// ReusesIDs: the id of a deleted row is given to a new one (SQLite).
	ReusesIDs bool
	// NoTransactions: the storage engine keeps half a transaction (MyISAM).
	NoTransactions bool
}

// Column is what the catalogue says of one column.
type Column struct {
	Name   string
	Native string // "character varying(64)"
	Type   connector.ValueType
	// Length is the most that fits, 0 when there is no limit, counted in Unit.
	Length int
	Unit   LengthUnit
	// Bits is the size of an integer: 8, 16, 32 or 64; Unsigned from 0 on.
	Bits     int
	Unsigned bool
	NotNull  bool
	// Filled: the database has a value of its own when none is given.
	Filled bool
	// Computed: the database refuses a value from us.
	Computed bool
	// Only lists the values that an enumeration or a CHECK … IN (…) accepts.
	Only []string
	// IgnoreCase: the collation takes "Jane" and "jane" for the same value.
	IgnoreCase bool
	// Plain: text that compares equal is the same text, byte for byte.
	Plain bool
}

// LengthUnit is what a column's length counts.
type LengthUnit string

// The units.
const (
	Characters LengthUnit = "characters"
	Bytes      LengthUnit = "bytes"
	UTF16      LengthUnit = "UTF-16 units"
)

// Column returns the column called name.
func (t *Table) Column(name string) (*Column, bool) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return nil, false
	}
	return &t.Columns[i], true
}

// IsUnique reports whether no two rows share a value of column.
func (t *Table) IsUnique(column string) bool {
	return slices.ContainsFunc(t.Unique, func(set []string) bool { return len(set) == 1 && set[0] == column })
}

// allow notes the values that a CHECK accepts, when it is of the form
// "column IN ('a', 'b')" as each product writes it.
func (t *Table) allow(check string) {
	m := checkIn.FindStringSubmatch(check)
	if m == nil {
		return
	}
	c, ok := t.Column(strings.Trim(m[1], "`\"[]"))
	if !ok || c.Only != nil {
		return
	}
	for _, v := range quoted.FindAllStringSubmatch(m[2], -1) {
		c.Only = append(c.Only, strings.ReplaceAll(v[1], "''", "'"))
	}
}

// checkIn matches `status in ('a','b')` (MariaDB, SQLite) and PostgreSQL's
// `((status)::text = ANY ((ARRAY['a'::character varying, …])::text[]))`, alone.
var (
	checkIn = regexp.MustCompile(`(?is)^\s*(?:CHECK\s*)?\(*\s*([\w"` + "`" + `\[\]]+)\)?(?:::[\w ]+)?\s*(?:=\s*ANY\s*\(\(?ARRAY\[|IN\s*\()((?:\s*'(?:[^']|'')*'(?:::[\w ]+)?\s*,?)+)[\])]+(?:::[\w ]+(?:\[\])?)?[\s)]*$`)
	quoted  = regexp.MustCompile(`'((?:[^']|'')*)'`)
)

// each runs a query and calls row for every row.
func each(ctx context.Context, q Queryer, row func(*sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// uniqueSets gathers (index, column) rows into column sets.
type uniqueSets struct {
	names []string
	sets  map[string][]string
}

func (u *uniqueSets) add(index, column string) {
	if u.sets == nil {
		u.sets = map[string][]string{}
	}
	if _, ok := u.sets[index]; !ok {
		u.names = append(u.names, index)
	}
	u.sets[index] = append(u.sets[index], column)
}

func (u *uniqueSets) list() [][]string {
	var out [][]string
	for _, n := range u.names {
		out = append(out, u.sets[n])
	}
	return out
}
