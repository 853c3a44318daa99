package dialect

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/provhub/provhub/connectors/connector"
)

// newPool makes a pool that connects on first use.
func newPool(cfg *pgxpool.Config) (*pgxpool.Pool, error) {
	return pgxpool.NewWithConfig(context.Background(), cfg)
}

// The catalogue itself, not information_schema: the latter hides columns that we
// have no right on, and a missing right must not look like a missing column.
const (
	postgresFind = `SELECT c.oid::bigint, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'f') AND (n.nspname = $2 OR ($2 = '' AND pg_table_is_visible(c.oid)))`
	postgresColumns = `SELECT a.attname, format_type(a.atttypid, a.atttypmod), b.typname, b.typtype::text, b.oid::bigint,
		CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END,
		a.attnotnull OR t.typnotnull, a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL,
		a.attgenerated <> '' OR a.attidentity = 'a', COALESCE(l.collisdeterministic, true)
		FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
		JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
		LEFT JOIN pg_collation l ON l.oid = a.attcollation
		WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`
	postgresUnique = `SELECT i.indexrelid::text, a.attname FROM pg_index i
		JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, n) ON k.n <= i.indnkeyatts
		JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
		WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL ORDER BY 1, k.n`
	postgresChecks = `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1 AND contype = 'c'`
	postgresEnum   = `SELECT enumlabel FROM pg_enum WHERE enumtypid = $1 ORDER BY enumsortorder`
	// A right on single columns will do where the database knows such.
	postgresRight = `SELECT has_table_privilege(c, p) OR (p <> 'DELETE' AND has_any_column_privilege(c, p))
		FROM (SELECT to_regclass($1)::oid AS c, $2::text AS p) AS wanted`
)

func readPostgresTable(ctx context.Context, q Queryer, schema, table string) (*Table, error) {
	t := &Table{Name: table}
	var oid int64
	err := each(ctx, q, func(r *sql.Rows) error { return r.Scan(&oid, &t.Schema) }, postgresFind, table, schema)
	if err != nil {
		return nil, err
	}
	if oid == 0 {
		return nil, ErrNoTable
	}
	enums := map[string]int64{}
	err = each(ctx, q, func(r *sql.Rows) error {
		var c Column
		var base, kind string
		var typ int64
		var mod int
		var deterministic bool
		if err := r.Scan(&c.Name, &c.Native, &base, &kind, &typ, &mod, &c.NotNull, &c.Filled, &c.Computed, &deterministic); err != nil {
			return err
		}
		postgresType(&c, base, mod)
		c.IgnoreCase = base == "citext" || !deterministic
		c.Plain = c.Plain && !c.IgnoreCase
		if kind == "e" {
			enums[c.Name] = typ
		}
		t.Columns = append(t.Columns, c)
		return nil
	}, postgresColumns, oid)
	if err != nil {
		return nil, err
	}
	return t, postgresRules(ctx, q, t, oid, enums)
}

// postgresRules reads unique indexes, enumerations and CHECK lists.
func postgresRules(ctx context.Context, q Queryer, t *Table, oid int64, enums map[string]int64) error {
	var u uniqueSets
	err := each(ctx, q, func(r *sql.Rows) error {
		var index, column string
		if err := r.Scan(&index, &column); err != nil {
			return err
		}
		u.add(index, column)
		return nil
	}, postgresUnique, oid)
	if err != nil {
		return err
	}
	t.Unique = u.list()
	for name, typ := range enums {
		c, _ := t.Column(name)
		if err := each(ctx, q, func(r *sql.Rows) error {
			var label string
			err := r.Scan(&label)
			c.Only = append(c.Only, label)
			return err
		}, postgresEnum, typ); err != nil {
			return err
		}
	}
	return each(ctx, q, func(r *sql.Rows) error {
		var def string
		err := r.Scan(&def)
		t.allow(def)
		return err
	}, postgresChecks, oid)
}

// postgresType reads the base type. The modifier of a sized type is its length
// and 4 bytes of header.
func postgresType(c *Column, base string, mod int) {
	c.Type, c.Unit, c.Plain = connector.TypeString, Characters, true
	switch base {
	case "varchar", "bpchar":
		if mod > 4 {
			c.Length = mod - 4
		}
		c.Plain = base == "varchar"
	case "int2":
		c.Type, c.Bits = connector.TypeInteger, 16
	case "int4":
		c.Type, c.Bits = connector.TypeInteger, 32
	case "int8":
		c.Type, c.Bits = connector.TypeInteger, 64
	case "float4", "float8":
		c.Type = connector.TypeDouble
	case "bool":
		c.Type = connector.TypeBool
	case "timestamp", "timestamptz":
		c.Type = connector.TypeTimestamp
	case "date":
		c.Type = connector.TypeDate
	case "bytea":
		c.Type = connector.TypeBytes
	case "numeric", "citext", "json", "jsonb", "interval", "inet", "cidr":
		c.Plain = false
	}
}

func postgresRights(ctx context.Context, q Queryer, t *Table, wanted []string) ([]string, error) {
	name := ansiTable(t.Schema, t.Name)
	var missing []string
	for _, right := range wanted {
		var has sql.NullBool
		err := each(ctx, q, func(r *sql.Rows) error { return r.Scan(&has) }, postgresRight, name, right)
		if err != nil {
			return nil, fmt.Errorf("ask for the right %s: %w", strings.ToLower(right), err)
		}
		if !has.Bool {
			missing = append(missing, right)
		}
	}
	return missing, nil
}
