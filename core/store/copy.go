package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
)

// copied are the tables of the state, those that others refer to first. Nodes and
// sessions are of the processes that run now, and are left behind.
var copied = []string{
	"org_state", "source_state", "identity", "membership", "evaluation_fault", "replan", "account", "grant_edge", "name_reservation", "name_attribute",
	"plan", "operation", "attempt", "connector_state", "connector_rules", "target_schema", "run", "schedule", "finding", "alert", "alert_notice", "web_user", "audit", "audit_head",
}

var leftBehind = []string{"node", "request", "web_session", "web_try", "goose_db_version"}

// ErrNotEmpty: the database to be filled holds something.
var ErrNotEmpty = errors.New("the database that is to be filled is not empty")

// copyRows is how many rows go into one statement's worth of inserts.
const copyRows = 1000

// Copy fills to, a new database, with all that s holds, in one transaction: it is
// there whole or not at all. The caller holds the working role of every org (see
// [Org.Work]), so that nothing changes meanwhile. progress, when set, is told each
// table with its rows so far. The rows are counted on both sides afterwards, and the
// audit trail is verified.
func (s *Store) Copy(ctx context.Context, to *Store, progress func(table string, rows int)) (rows map[string]int, err error) {
	if err := s.sameTables(ctx, to); err != nil {
		return nil, err
	}
	rows = map[string]int{}
	err = to.writeOn(ctx, to.writer, "copy", func(t *tx) error {
		for _, table := range copied {
			n, err := s.copyTable(ctx, t, table, func(n int) {
				if progress != nil {
					progress(table, n)
				}
			})
			if err != nil {
				return fmt.Errorf("table %s: %w", table, err)
			}
			rows[table] = n
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return rows, to.verifyCopy(ctx, rows)
}

// sameTables refuses a database that is not empty, and a table that nobody thought
// of: it would be lost.
func (s *Store) sameTables(ctx context.Context, to *Store) error {
	known := slices.Concat(copied, leftBehind)
	tables, err := s.tables(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if !slices.Contains(known, t) {
			return fmt.Errorf("the database has a table %s that is not provhub's; it would not be copied", t)
		}
	}
	for _, t := range copied {
		n, err := to.count(ctx, t)
		if err != nil {
			return err
		}
		if n > 0 {
			return refuse(ErrNotEmpty, "%s holds %d rows of %s; give a new database", to.name, n, t)
		}
	}
	return nil
}

func (s *Store) tables(ctx context.Context) (names []string, err error) {
	q := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
	if s.gate == nil {
		q = `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`
	}
	return names, s.explain(s.reader.SelectContext(ctx, &names, q))
}

func (s *Store) count(ctx context.Context, table string) (n int, err error) {
	return n, s.explain(s.reader.GetContext(ctx, &n, `SELECT COUNT(*) FROM `+table))
}

func (s *Store) copyTable(ctx context.Context, t *tx, table string, progress func(int)) (n int, err error) {
	rows, err := s.staging.QueryxContext(ctx, `SELECT * FROM `+table)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	head := `INSERT INTO ` + table + ` (` + strings.Join(columns, ", ") + `)`
	var page [][]any
	flush := func() error {
		err := t.insert(head, page, "")
		n, page = n+len(page), page[:0]
		progress(n)
		return err
	}
	for rows.Next() {
		row, err := cells(rows)
		if err != nil {
			return n, err
		}
		if page = append(page, row); len(page) == copyRows {
			if err := flush(); err != nil {
				return n, err
			}
		}
	}
	return n, errors.Join(rows.Err(), flush())
}

// cells reads one row. SQLite tells bytes from text by the value, PostgreSQL by the
// column, so bytes of a text column become text.
func cells(rows *sqlx.Rows) ([]any, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	row, err := rows.SliceScan()
	for i, v := range row {
		if b, ok := v.([]byte); ok && isText(types[i]) {
			row[i] = string(b)
		}
	}
	return row, err
}

func isText(t *sql.ColumnType) bool { return strings.EqualFold(t.DatabaseTypeName(), "TEXT") }

func (s *Store) verifyCopy(ctx context.Context, rows map[string]int) error {
	for table, n := range rows {
		has, err := s.count(ctx, table)
		if err != nil {
			return err
		}
		if has != n {
			return fmt.Errorf("table %s: %d rows were read and %d are there", table, n, has)
		}
	}
	return s.eachOrg(ctx, func(o *Org) error {
		_, err := o.AuditVerify(ctx)
		return err
	})
}

// WorkAll takes the working role of every org of the database.
func (s *Store) WorkAll(ctx context.Context, who string) (release func(), err error) {
	var all []func()
	release = func() {
		for _, f := range all {
			f()
		}
	}
	err = s.eachOrg(ctx, func(o *Org) error {
		free, err := o.Work(ctx, who)
		if err == nil {
			all = append(all, free)
		}
		return err
	})
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}
