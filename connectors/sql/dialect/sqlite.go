package dialect

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"modernc.org/sqlite"
)

// SQLite is SQLite 3.35 and later, through the driver in pure Go.
var SQLite = &Dialect{
	Name: "sqlite", Title: "SQLite", Proven: true,
	quoteOpen: `"`, quoteClose: `"`, placeholder: question,
	page: pageLimit, newID: idReturning, OneWriter: true,
	Classify: classifySQLite, ReadTable: readSQLiteTable, MissingRights: sqliteRights,
	Version: "SELECT 'SQLite ' || sqlite_version()",
	open:    openSQLite,
}

// openSQLite takes "sqlite:PATH" or "file:PATH?…". One connection: a second
// writer would only wait for the first.
func openSQLite(dsn string, o Options) (*Handle, error) {
	path, query, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(dsn, "sqlite:"), "file:"), "?")
	params, err := url.ParseQuery(query)
	if err != nil || path == "" {
		return nil, errDSN("SQLite", "sqlite:/var/lib/app/app.db")
	}
	wait := 5 * time.Second
	if o.StatementTimeout > 0 {
		wait = o.StatementTimeout
	}
	params.Set("_txlock", "immediate")
	params.Set("_time_format", "sqlite")
	params.Add("_pragma", "foreign_keys(1)")
	params.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", wait.Milliseconds()))
	// The file is the app's: a path that does not exist is a mistake, not a wish.
	if !params.Has("mode") {
		params.Set("mode", "rw")
	}
	db, err := sql.Open("sqlite", "file:"+path+"?"+params.Encode())
	if err != nil {
		return nil, errDSN("SQLite", "sqlite:/var/lib/app/app.db")
	}
	db.SetMaxOpenConns(2)
	return &Handle{DB: db, Endpoint: Endpoint{Host: path}, KeepPrepared: true}, nil
}

// sqliteCodes maps result codes; the extended code first, then its low byte.
var sqliteCodes = map[int]Kind{
	2067: KindUnique, 1555: KindUnique, 2579: KindUnique, 787: KindForeignKey, 1299: KindNotNull, 275: KindCheck, 3091: KindBadValue, 1811: KindApplication,
	5: KindContention, 6: KindContention, 8: KindReadOnly, 9: KindTimeout, 13: KindFull, 14: KindUnavailable, 10: KindUnavailable,
	18: KindTooLong, 20: KindBadValue, 1: KindMissing, 23: KindAuth, 26: KindUnavailable, 11: KindUnavailable, 19: KindCheck,
}

func classifySQLite(err error) (Fault, bool) {
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return Fault{}, false
	}
	f := Fault{Kind: sqliteCodes[lite.Code()], Native: fmt.Sprintf("SQLite %d", lite.Code())}
	if f.Kind == "" {
		f.Kind = sqliteCodes[lite.Code()&0xff]
	}
	switch f.Kind {
	case "":
		f.Kind = KindUnclassified
	case KindUnique, KindNotNull:
		_, f.Column, _ = strings.Cut(sqliteSubject(lite.Error()), ".")
	case KindCheck:
		f.Constraint = sqliteSubject(lite.Error())
	case KindApplication:
		f.Text = lite.Error()
	}
	return f, true
}

// sqliteSubject returns "app_user.mail" from "constraint failed: UNIQUE
// constraint failed: app_user.mail (2067)". SQLite puts no values there.
func sqliteSubject(message string) string {
	_, rest, _ := strings.Cut(message, "constraint failed: ")
	if _, inner, ok := strings.Cut(rest, "constraint failed: "); ok {
		rest = inner
	}
	name, _, _ := strings.Cut(rest, " (")
	return name
}
