package store

import "github.com/pressly/goose/v3"

// dialect is what differs between the databases.
type dialect struct {
	goose goose.Dialect
	// otherSuffix ends the names of the migrations that are not for this one.
	otherSuffix string
	// forUpdate locks the rows of a select; skipLocked passes over those locked.
	forUpdate, skipLocked string
	// byBytes makes a text column of a temporary table compare by bytes.
	byBytes string
	// bytes is the type that an argument which holds bytes is cast to.
	bytes string
	// targetID reads what the target calls an account from the column ref.
	targetID string
	// argsMax bounds the arguments of a statement for many rows. The SQLite driver
	// looks for each argument among all, so few are fast; PostgreSQL likes many.
	argsMax int
	// clock is the database's time in microseconds.
	clock string
	// size reads how many bytes the database takes.
	size string
}

var sqliteDialect = dialect{goose: goose.DialectSQLite3, otherSuffix: "_postgres.sql", bytes: "BLOB", argsMax: 192,
	targetID: "json_extract(ref, '$.id')", clock: "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
	size: "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"}

var postgresDialect = dialect{
	goose: goose.DialectPostgres, otherSuffix: "_sqlite.sql", bytes: "BYTEA",
	forUpdate: " FOR UPDATE", skipLocked: " FOR UPDATE SKIP LOCKED", byBytes: ` COLLATE "C"`, argsMax: 4096,
	targetID: `((CAST(ref AS json) ->> 'id') COLLATE "C")`,
	clock:    "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
	size:     "SELECT pg_database_size(current_database())",
}

// lock locks only the rows of one table of a join.
func (d dialect) lock(table string) string {
	if d.forUpdate == "" {
		return ""
	}
	return d.forUpdate + " OF " + table
}
