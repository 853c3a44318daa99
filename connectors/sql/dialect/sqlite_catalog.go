package dialect

import (
	"context"
	"database/sql"
	"regexp"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

func readSQLiteTable(ctx context.Context, q Queryer, schema, table string) (*Table, error) {
	t := &Table{Schema: schema}
	var ddl sql.NullString
	err := each(ctx, q, func(r *sql.Rows) error { return r.Scan(&t.Name, &ddl) },
		"SELECT name, sql FROM "+sqlitePrefix(schema)+"sqlite_master WHERE type IN ('table', 'view') AND name = ?", table)
	if err != nil {
		return nil, err
	}
	if t.Name == "" {
		return nil, ErrNoTable
	}
	if schema == "" {
		schema = "main"
	}
	primary := 0
	err = each(ctx, q, func(r *sql.Rows) error {
		var c Column
		var pk, hidden int
		if err := r.Scan(&c.Name, &c.Native, &c.NotNull, &c.Filled, &pk, &hidden); err != nil {
			return err
		}
		sqliteType(&c)
		if pk > 0 {
			primary++
			// An INTEGER PRIMARY KEY is the rowid, which fills itself.
			c.Filled = c.Filled || strings.EqualFold(c.Native, "INTEGER")
			c.NotNull = true
		}
		c.Computed = hidden > 1
		t.Columns = append(t.Columns, c)
		return nil
	}, "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk, hidden FROM pragma_table_xinfo(?, ?)", t.Name, schema)
	if err != nil {
		return nil, err
	}
	t.ReusesIDs = !strings.Contains(strings.ToUpper(ddl.String), "AUTOINCREMENT")
	return t, sqliteRules(ctx, q, t, schema, ddl.String)
}

// sqlitePrefix renders the schema of sqlite_master, "" for the main database.
func sqlitePrefix(schema string) string {
	if schema == "" {
		return ""
	}
	return ansiTable("", schema) + "."
}

// sqliteRules reads unique indexes with their collation; CHECK lists come out of
// the table's own text, since SQLite keeps them nowhere else.
func sqliteRules(ctx context.Context, q Queryer, t *Table, schema, ddl string) error {
	var u uniqueSets
	err := each(ctx, q, func(r *sql.Rows) error {
		var index, column, collation string
		var unique bool
		if err := r.Scan(&index, &column, &collation, &unique); err != nil {
			return err
		}
		if c, ok := t.Column(column); ok && collation == "NOCASE" {
			c.IgnoreCase, c.Plain = true, false
		}
		if unique {
			u.add(index, column)
		}
		return nil
	}, `SELECT l.name, COALESCE(i.name, ''), COALESCE(i.coll, ''), l."unique" AND NOT l.partial FROM pragma_index_list(?, ?) l, pragma_index_xinfo(l.name, ?) i WHERE i.key = 1 ORDER BY l.seq, i.seqno`, t.Name, schema, schema)
	if err != nil {
		return err
	}
	t.Unique = u.list()
	err = each(ctx, q, func(r *sql.Rows) error {
		var column string
		err := r.Scan(&column)
		t.Unique = append(t.Unique, []string{column})
		return err
	}, `SELECT name FROM pragma_table_xinfo(?, ?) WHERE pk = 1 AND (SELECT COUNT(*) FROM pragma_table_xinfo(?, ?) WHERE pk > 0) = 1`, t.Name, schema, t.Name, schema)
	if err != nil {
		return err
	}
	for _, m := range sqliteCheck.FindAllStringSubmatch(ddl, -1) {
		t.allow(m[1])
	}
	return nil
}

var (
	sqliteCheck = regexp.MustCompile(`(?is)CHECK\s*\(([^()]+\([^()]*\))\s*\)`)
	typeLength  = regexp.MustCompile(`\(\s*(\d+)\s*\)`)
)

// sqliteType follows the declared type. SQLite itself enforces none of it, but
// what the app declared is what its own code expects.
func sqliteType(c *Column) {
	c.Type, c.Unit, c.Plain = connector.TypeString, Characters, true
	n := strings.ToUpper(c.Native)
	switch {
	case strings.Contains(n, "BOOL"):
		c.Type = connector.TypeBool
	case strings.Contains(n, "INT"):
		c.Type, c.Bits = connector.TypeInteger, 64
	case strings.Contains(n, "DATETIME"), strings.Contains(n, "TIMESTAMP"):
		c.Type = connector.TypeTimestamp
	case n == "DATE":
		c.Type = connector.TypeDate
	case strings.Contains(n, "BLOB"):
		c.Type = connector.TypeBytes
	case strings.Contains(n, "REAL"), strings.Contains(n, "FLOA"), strings.Contains(n, "DOUB"):
		c.Type = connector.TypeDouble
	case strings.Contains(n, "CHAR"):
		if m := typeLength.FindStringSubmatch(n); m != nil {
			c.Length = atoi(m[1])
		}
	}
}

// sqliteRights: SQLite knows no logins, only whether the file can be written. A
// DELETE of no rows asks for the write lock and changes nothing.
func sqliteRights(ctx context.Context, q Queryer, t *Table, wanted []string) ([]string, error) {
	var missing []string
	for _, right := range wanted {
		if right == "SELECT" {
			continue
		}
		err := each(ctx, q, func(*sql.Rows) error { return nil }, "DELETE FROM "+ansiTable(t.Schema, t.Name)+" WHERE 0")
		if f, ok := classifySQLite(err); ok && f.Kind == KindReadOnly {
			missing = append(missing, right)
		} else if err != nil {
			return nil, err
		}
	}
	return missing, nil
}
