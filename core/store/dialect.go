package store

import "github.com/pressly/goose/v3"

// dialect is what differs between the databases.
type dialect struct {
	goose goose.Dialect
	// suffix ends the names of the other database's migrations.
	otherSuffix string
	// forUpdate locks the rows of a select; skipLocked passes over those locked.
	forUpdate, skipLocked string
	// byBytes makes a text column of a temporary table compare by bytes.
	byBytes string
	// maxArgs is how many arguments one statement takes.
	maxArgs int
}

var sqliteDialect = dialect{goose: goose.DialectSQLite3, otherSuffix: "_postgres.sql", maxArgs: 32766}

var postgresDialect = dialect{
	goose: goose.DialectPostgres, otherSuffix: "_sqlite.sql", maxArgs: 65535,
	forUpdate: " FOR UPDATE", skipLocked: " FOR UPDATE SKIP LOCKED", byBytes: ` COLLATE "C"`,
}
