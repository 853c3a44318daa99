package main

import (
	"context"
	"database/sql"
)

// copyAccounts gives all connectors the ledger of the first, in a SQLite state
// that nobody else has open. The indexes are made anew afterwards, which is
// quicker than keeping them.
func copyAccounts(ctx context.Context, path string, connectors []string) error {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=cache_size(-262144)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // which has the temporary tables
	drop, create, err := indexes(ctx, db, "account")
	if err != nil {
		return err
	}
	statements := append([]string{"BEGIN"}, drop...)
	for _, table := range []string{"account", "connector_state"} {
		statements = append(statements, "CREATE TEMPORARY TABLE copy_"+table+" AS SELECT * FROM "+table+" WHERE connector = '"+connectors[0]+"'")
		for _, name := range connectors[1:] {
			statements = append(statements, "UPDATE copy_"+table+" SET connector = '"+name+"'", "INSERT INTO "+table+" SELECT * FROM copy_"+table)
		}
	}
	for _, q := range append(append(statements, create...), "COMMIT") {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// indexes returns the statements that drop the indexes of a table, those of its
// keys excepted, and make them again.
func indexes(ctx context.Context, db *sql.DB, table string) (drop, create []string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT 'DROP INDEX ' || name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL`, table)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var d, c string
		if err := rows.Scan(&d, &c); err != nil {
			return nil, nil, err
		}
		drop, create = append(drop, d), append(create, c)
	}
	return drop, create, rows.Err()
}
