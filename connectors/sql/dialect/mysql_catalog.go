package dialect

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/provhub/provhub/connectors/connector"
)

const (
	mysqlFind = `SELECT TABLE_SCHEMA, TABLE_NAME, COALESCE(ENGINE, '') FROM information_schema.TABLES
		WHERE TABLE_NAME = ? AND TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE())`
	mysqlColumns = `SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, COALESCE(CHARACTER_MAXIMUM_LENGTH, 0), IS_NULLABLE = 'NO',
		COLUMN_DEFAULT IS NOT NULL OR EXTRA LIKE '%auto_increment%', EXTRA LIKE '% GENERATED%', COALESCE(COLLATION_NAME, '')
		FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`
	mysqlUnique = `SELECT INDEX_NAME, COALESCE(COLUMN_NAME, ''), SUB_PART IS NOT NULL FROM information_schema.STATISTICS
		WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX`
	mysqlChecks = `SELECT c.CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS c JOIN information_schema.TABLE_CONSTRAINTS t
		ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME
		WHERE t.TABLE_SCHEMA = ? AND t.TABLE_NAME = ? AND t.CONSTRAINT_TYPE = 'CHECK'`
)

func readMySQLTable(ctx context.Context, q Queryer, schema, table string) (*Table, error) {
	t := &Table{}
	err := each(ctx, q, func(r *sql.Rows) error {
		var engine string
		err := r.Scan(&t.Schema, &t.Name, &engine)
		t.NoTransactions = engine == "MyISAM" || engine == "Aria" || engine == "MEMORY" || engine == "CSV"
		return err
	}, mysqlFind, table, schema)
	if err != nil {
		return nil, err
	}
	if t.Name == "" {
		return nil, ErrNoTable
	}
	err = each(ctx, q, func(r *sql.Rows) error {
		var c Column
		var data, collation string
		if err := r.Scan(&c.Name, &data, &c.Native, &c.Length, &c.NotNull, &c.Filled, &c.Computed, &collation); err != nil {
			return err
		}
		mysqlType(&c, data)
		c.IgnoreCase = strings.HasSuffix(collation, "_ci")
		c.Plain = c.Type == connector.TypeString && strings.HasSuffix(collation, "_bin")
		t.Columns = append(t.Columns, c)
		return nil
	}, mysqlColumns, t.Schema, t.Name)
	if err != nil {
		return nil, err
	}
	return t, mysqlRules(ctx, q, t)
}

// mysqlRules reads unique indexes, whole columns only, and CHECK lists.
func mysqlRules(ctx context.Context, q Queryer, t *Table) error {
	var u uniqueSets
	prefixed := map[string]bool{}
	err := each(ctx, q, func(r *sql.Rows) error {
		var index, column string
		var part bool
		if err := r.Scan(&index, &column, &part); err != nil {
			return err
		}
		prefixed[index] = prefixed[index] || part || column == ""
		u.add(index, column)
		return nil
	}, mysqlUnique, t.Schema, t.Name)
	if err != nil {
		return err
	}
	for _, index := range u.names {
		if !prefixed[index] {
			t.Unique = append(t.Unique, u.sets[index])
		}
	}
	return each(ctx, q, func(r *sql.Rows) error {
		var clause string
		err := r.Scan(&clause)
		t.allow(strings.NewReplacer("_utf8mb4\\'", "'", "\\'", "'").Replace(clause))
		return err
	}, mysqlChecks, t.Schema, t.Name)
}

func mysqlType(c *Column, data string) {
	c.Type, c.Unit = connector.TypeString, Characters
	c.Unsigned = strings.Contains(c.Native, "unsigned")
	switch data {
	case "tinyint":
		c.Type, c.Bits = connector.TypeInteger, 8
		if strings.HasPrefix(c.Native, "tinyint(1)") {
			c.Type = connector.TypeBool
		}
	case "smallint":
		c.Type, c.Bits = connector.TypeInteger, 16
	case "mediumint", "int":
		c.Type, c.Bits = connector.TypeInteger, 32
	case "bigint", "year":
		c.Type, c.Bits = connector.TypeInteger, 64
	case "float", "double":
		c.Type = connector.TypeDouble
	case "datetime", "timestamp":
		c.Type = connector.TypeTimestamp
	case "date":
		c.Type = connector.TypeDate
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		c.Type, c.Unit = connector.TypeBytes, Bytes
	case "tinytext", "text", "mediumtext", "longtext":
		c.Unit = Bytes
	case "enum":
		for _, m := range quoted.FindAllStringSubmatch(c.Native, -1) {
			c.Only = append(c.Only, strings.ReplaceAll(m[1], "''", "'"))
		}
	}
}

// mysqlRights reads our own grants, because information_schema leaves out what
// came through a role.
func mysqlRights(ctx context.Context, q Queryer, t *Table, wanted []string) ([]string, error) {
	var grants []string
	err := each(ctx, q, func(r *sql.Rows) error {
		var g string
		err := r.Scan(&g)
		grants = append(grants, g)
		return err
	}, "SHOW GRANTS")
	if err != nil {
		return nil, fmt.Errorf("read the grants of the login: %w", err)
	}
	var missing []string
	for _, right := range wanted {
		if !granted(grants, right, t.Schema, t.Name) {
			missing = append(missing, right)
		}
	}
	return missing, nil
}

// grantLine matches "GRANT SELECT, INSERT (`a`) ON `db`.* TO …".
var grantLine = regexp.MustCompile("^GRANT (.+) ON (?:TABLE )?(\\*|`(?:[^`]|``)+`)\\.(\\*|`(?:[^`]|``)+`) TO ")

func granted(grants []string, right, schema, table string) bool {
	for _, g := range grants {
		m := grantLine.FindStringSubmatch(g)
		if m == nil || !covers(m[2], schema, true) || !covers(m[3], table, false) {
			continue
		}
		if strings.HasPrefix(m[1], "ALL PRIVILEGES") {
			return true
		}
		for _, p := range strings.Split(m[1], ", ") {
			if p == right || strings.HasPrefix(p, right+" (") {
				return true
			}
		}
	}
	return false
}

// covers reports whether a name of a grant is name. In the name of a database
// % and _ are wildcards unless escaped.
func covers(pattern, name string, wild bool) bool {
	if pattern == "*" {
		return true
	}
	p := strings.ReplaceAll(strings.Trim(pattern, "`"), "``", "`")
	if !wild {
		return p == name
	}
	re := regexp.QuoteMeta(p)
	re = strings.NewReplacer(`\\_`, "_", `\\%`, "%", "_", ".", "%", ".*").Replace(re)
	ok, err := regexp.MatchString("^"+re+"$", name)
	return err == nil && ok
}

// atoi reads a number out of a type such as "varchar(20)", 0 when there is none.
func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
