package dialect

import (
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// Postgres is PostgreSQL 12 and later.
var Postgres = &Dialect{
	Name: "postgres", Title: "PostgreSQL", Proven: true,
	quoteOpen: `"`, quoteClose: `"`, placeholder: numbered("$"),
	lockSuffix: " FOR UPDATE", page: pageLimit, newID: idReturning,
	Classify: classifyPostgres, ReadTable: readPostgresTable, MissingRights: postgresRights,
	Version: "SELECT 'PostgreSQL ' || current_setting('server_version')",
	// The identifier is made by initdb and shared by its standbys.
	Fingerprint: "SELECT 'database ' || current_database() || ' of PostgreSQL system ' || system_identifier FROM pg_control_system()",
	open:        openPostgres,
}

func openPostgres(dsn string, o Options) (*Handle, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, errDSN("PostgreSQL", "postgres://user:password@host:5432/database?sslmode=verify-full")
	}
	e := postgresEndpoint(cfg.ConnConfig)
	if !e.TLS && !local(e.Network, e.Host) && !strings.Contains(dsn, "sslmode") {
		// The driver's own default would go on in clear text when TLS fails.
		if cfg, err = pgxpool.ParseConfig(withParam(dsn, "sslmode", "verify-full")); err != nil {
			return nil, errDSN("PostgreSQL", "postgres://user:password@host:5432/database?sslmode=verify-full")
		}
		e = postgresEndpoint(cfg.ConnConfig)
	}
	if err := o.demandTLS(e, "sslmode=verify-full"); err != nil {
		return nil, err
	}
	if e.TLS && o.CAFile != "" {
		if cfg.ConnConfig.TLSConfig, err = o.tlsConfig(e.Host); err != nil {
			return nil, err
		}
		for _, f := range cfg.ConnConfig.Fallbacks {
			if f.TLSConfig, err = o.tlsConfig(f.Host); err != nil {
				return nil, err
			}
		}
	}
	cfg.MaxConns = int32(o.PoolSize) + 1
	postgresSession(cfg.ConnConfig, o)
	return postgresHandle(cfg, e, o)
}

// postgresSession sets what every connection starts with. A pooler in
// transaction mode forwards neither prepared statements nor such parameters.
func postgresSession(c *pgx.ConnConfig, o Options) {
	if o.PgBouncer {
		c.DefaultQueryExecMode = pgx.QueryExecModeExec
		return
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "provhub"
	}
	if o.StatementTimeout > 0 {
		c.RuntimeParams["statement_timeout"] = strconv.FormatInt(o.StatementTimeout.Milliseconds(), 10)
	}
}

// postgresHandle keeps one pool behind both interfaces. A pooler gets a plain
// *sql.DB, because pipelining needs prepared statements.
func postgresHandle(cfg *pgxpool.Config, e Endpoint, o Options) (*Handle, error) {
	if o.PgBouncer {
		return &Handle{DB: o.limit(stdlib.OpenDB(*cfg.ConnConfig)), Endpoint: e}, nil
	}
	pool, err := newPool(cfg)
	if err != nil {
		return nil, errDSN("PostgreSQL", "postgres://user:password@host:5432/database?sslmode=verify-full")
	}
	return &Handle{DB: stdlib.OpenDBFromPool(pool), Pool: pool, Endpoint: e}, nil
}

// postgresEndpoint tells the first host. TLS counts only when no host of the
// list, and no fallback, would go without a checked certificate.
func postgresEndpoint(c *pgx.ConnConfig) Endpoint {
	network, _ := pgconn.NetworkAddress(c.Host, c.Port)
	e := Endpoint{Network: network, Host: c.Host, Port: strconv.Itoa(int(c.Port))}
	e.TLS = c.TLSConfig != nil && !c.TLSConfig.InsecureSkipVerify
	for _, f := range c.Fallbacks {
		if f.TLSConfig == nil || f.TLSConfig.InsecureSkipVerify {
			e.TLS = false
			if !local("tcp", f.Host) {
				e.Host = f.Host
			}
		}
	}
	return e
}

// withParam adds a parameter to a connection string in URL or keyword form.
func withParam(dsn, key, value string) string {
	switch {
	case !strings.Contains(dsn, "://"):
		return dsn + " " + key + "=" + value
	case strings.Contains(dsn, "?"):
		return dsn + "&" + key + "=" + value
	}
	return dsn + "?" + key + "=" + value
}

// errDSN does not repeat the string, which holds a password.
func errDSN(product, example string) error {
	return errors.New(`the secret "dsn" is not a connection string of ` + product + "; it looks like " + example)
}

var postgresStates = map[string]Kind{
	"23505": KindUnique, "23P01": KindUnique, "23503": KindForeignKey, "23001": KindReferenced, "23502": KindNotNull, "23514": KindCheck,
	"22001": KindTooLong, "22012": KindDivision, "40001": KindContention, "40P01": KindContention, "55P03": KindContention,
	"53300": KindBusy, "53100": KindFull, "53200": KindBusy, "57014": KindTimeout,
	"57P01": KindLost, "57P02": KindLost, "57P03": KindUnavailable, "57P05": KindLost,
	"28P01": KindAuth, "28000": KindAuth, "42501": KindPermission, "25006": KindReadOnly,
	"42P01": KindMissing, "42703": KindMissing, "42883": KindMissing, "3D000": KindMissing, "3F000": KindMissing, "26000": KindContention, "0A000": KindContention,
	"P0001": KindApplication, "44000": KindCheck, "428C9": KindCheck,
}

// postgresClasses are the first two characters, where the whole state says no more.
var postgresClasses = map[string]Kind{
	"22": KindBadValue, "23": KindCheck, "42": KindMissing, "08": KindLost, "40": KindContention, "53": KindBusy, "57": KindUnavailable, "58": KindUnavailable, "P0": KindApplication,
}

func classifyPostgres(err error) (Fault, bool) {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		var connect *pgconn.ConnectError
		if errors.As(err, &connect) {
			f := transportFault(errors.Unwrap(connect))
			if f.Kind == KindLost || f.Kind == KindUnclassified || f.Kind == KindTimeout {
				f.Kind = KindUnavailable
			}
			return f, true
		}
		switch {
		case pgconn.Timeout(err):
			return Fault{Kind: KindTimeout}, true
		case errors.Is(err, pgconn.ErrConnClosed):
			return Fault{Kind: KindLost}, true
		}
		return Fault{}, false
	}
	f := Fault{Native: "SQLSTATE " + pg.Code, Constraint: pg.ConstraintName, Table: pg.TableName, Column: pg.ColumnName}
	f.Kind = postgresStates[pg.Code]
	if f.Kind == "" && len(pg.Code) == 5 {
		f.Kind = postgresClasses[pg.Code[:2]]
	}
	switch f.Kind {
	case "":
		f.Kind = KindUnclassified
	case KindApplication:
		f.Text = pg.Message
	}
	return f, true
}
