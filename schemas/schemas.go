// Package schemas embeds what is on disk for others: the migrations of the
// hub's state.
package schemas

import (
	"embed"
	"io/fs"
)

//go:embed sql/*.sql
var sql embed.FS

// SQL returns the migrations of the hub's state, in goose's form. A file whose
// name ends in _sqlite.sql or _postgres.sql is meant for that database only.
func SQL() fs.FS {
	sub, err := fs.Sub(sql, "sql")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}
