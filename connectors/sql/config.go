package sql

import (
	"time"

	"github.com/provhub/provhub/connectors/connector"
)

// Config is the config of one SQL target.
type Config struct {
	Dialect string   `json:"dialect,omitempty" enum:"postgres,mysql,sqlite,sqlserver,oracle" doc:"Database product; taken from the beginning of the secret dsn when left out"`
	Mode    string   `json:"mode,omitempty" enum:"table,statements" default:"table" doc:"table: the connector writes the SQL; statements: the config holds it"`
	Schema  string   `json:"schema,omitempty" doc:"Schema (PostgreSQL, SQL Server) or database (MySQL) of the tables; the login's default when left out"`
	Users   Users    `json:"users" doc:"The table of accounts"`
	Groups  []Groups `json:"groups,omitempty" doc:"Tables of groups or roles, each with the table that joins them to accounts"`
	History *History `json:"history,omitempty" doc:"A table that gets one row for every change, in the same transaction"`

	Statements *Statements `json:"statements,omitempty" doc:"SQL by verb for mode statements; set_credential also works in table mode"`

	Verify           bool               `json:"verify,omitempty" doc:"Read every row back after writing and report values that the database rewrote"`
	PoolSize         int                `json:"pool_size,omitempty" default:"4" doc:"Most connections that write at once; one more reads"`
	StatementTimeout connector.Duration `json:"statement_timeout,omitempty" default:"30s" doc:"Longest time for the transaction of one account"`
	PgBouncer        bool               `json:"pgbouncer,omitempty" doc:"The dsn leads to PgBouncer in transaction mode: no prepared statements, no pipelining"`
	TLSCAFile        string             `json:"tls_ca_file,omitempty" doc:"PEM file with the authority of the server's certificate; the system's authorities when left out"`
	AllowInsecure    []string           `json:"allow_insecure,omitempty" doc:"Hosts, by name, whose certificate is not checked"`
}

// Table names a table and the columns that name its rows.
type Table struct {
	Type    string   `json:"type,omitempty" doc:"Name of the object type; user for accounts, group for groups when left out"`
	Table   string   `json:"table,omitempty" doc:"Name of the table or view, without schema; not needed in mode statements"`
	Schema  string   `json:"schema,omitempty" doc:"Schema of this table when it is not the one above"`
	Key     string   `json:"key" doc:"Natural key: the column we own that no two rows share, such as login"`
	ID      string   `json:"id,omitempty" doc:"Column with the app's own id, when it is not the key"`
	Columns []Column `json:"columns,omitempty" doc:"Columns to write, by attribute; every column of the table when left out"`
	Version string   `json:"version,omitempty" doc:"Column that the database changes on every write, for conditional updates"`
}

// Users is the table of accounts.
type Users struct {
	Table
	Anchor     string      `json:"anchor,omitempty" doc:"Attribute with the immutable anchor of the person: the proof that a row is ours"`
	Enabled    *Enabled    `json:"enabled,omitempty" doc:"How a row says that the account can be used"`
	SoftDelete *SoftDelete `json:"soft_delete,omitempty" doc:"Mark rows as deleted in place of removing them"`
}

// Column ties an attribute to a column.
type Column struct {
	Name      string `json:"name" doc:"Name of the attribute"`
	Column    string `json:"column,omitempty" doc:"Name of the column; the attribute's when left out"`
	Type      string `json:"type,omitempty" enum:"string,integer,double,bool,timestamp,date,bytes,reference" doc:"Type of the attribute; the column's own when left out"`
	RefersTo  string `json:"refers_to,omitempty" doc:"With type reference: the object type whose id the column holds"`
	CaseExact *bool  `json:"case_exact,omitempty" doc:"Whether Jane and jane differ; what the column's collation says when left out"`
	Required  bool   `json:"required,omitempty" doc:"A create must give it; also set by NOT NULL without a default"`
	ReadOnly  bool   `json:"read_only,omitempty" doc:"The app sets it; it is read and never written"`
	MaxLength int    `json:"max_length,omitempty" doc:"Most characters; the column's width when left out"`
	Unique    bool   `json:"unique,omitempty" doc:"Mode statements only: no two accounts share a value"`
}

// Enabled says how a row tells that the account can be used.
type Enabled struct {
	Column string `json:"column" doc:"Column with the state"`
	True   string `json:"true,omitempty" default:"true" doc:"Its value for an account that can be used"`
	False  string `json:"false,omitempty" default:"false" doc:"Its value for a disabled account"`
}

// SoftDelete says how a row tells that it is deleted.
type SoftDelete struct {
	Column    string `json:"column" doc:"Column that marks a deleted row"`
	Value     string `json:"value,omitempty" doc:"Its value for a deleted row; when left out, any time stamp in it means deleted"`
	Live      string `json:"live,omitempty" doc:"Its value for a row in use; NULL when left out"`
	Timestamp string `json:"timestamp,omitempty" doc:"Column that takes the time of the deletion"`
	Show      bool   `json:"show,omitempty" doc:"List deleted rows too, as disabled accounts"`
}

// Groups is a table of groups or roles.
type Groups struct {
	Table
	Kind string `json:"kind,omitempty" enum:"group,entitlement" default:"entitlement" doc:"group: the hub also creates and deletes them; entitlement: they are only granted"`
	Join Join   `json:"join,omitzero" doc:"The table that says who is in which group; not needed in mode statements"`
}

// Join is the table between accounts and groups.
type Join struct {
	Table       string  `json:"table" doc:"Name of the table, without schema"`
	Schema      string  `json:"schema,omitempty" doc:"Schema of the table when it is not the one above"`
	UserColumn  string  `json:"user_column" doc:"Column with the account's id (its key when users.id is left out)"`
	GroupColumn string  `json:"group_column" doc:"Column with the group's id (its key when there is no id column)"`
	Values      []Fixed `json:"values,omitempty" doc:"Fixed values for further columns of a new row, such as granted_by"`
}

// Fixed is a constant for one column.
type Fixed struct {
	Column string `json:"column" doc:"Name of the column"`
	Value  string `json:"value" doc:"What is written there"`
}

// History is a table of changes.
type History struct {
	Table     string  `json:"table" doc:"Name of the table, without schema"`
	Schema    string  `json:"schema,omitempty" doc:"Schema of the table when it is not the one above"`
	Key       string  `json:"key" doc:"Column for the natural key of the account"`
	Verb      string  `json:"verb" doc:"Column for what was done: create, update, disable …"`
	Timestamp string  `json:"timestamp,omitempty" doc:"Column for the time; left out when the database fills it"`
	Operation string  `json:"operation,omitempty" doc:"Column for the id of the hub's operation"`
	Values    []Fixed `json:"values,omitempty" doc:"Fixed values for further columns"`
}

// The defaults that the schema documents.
const (
	defaultPool    = 4
	defaultTimeout = 30 * time.Second
)

func (c *Config) timeout() time.Duration {
	if c.StatementTimeout > 0 {
		return time.Duration(c.StatementTimeout)
	}
	return defaultTimeout
}

func (c *Config) pool() int {
	if c.PoolSize > 0 {
		return c.PoolSize
	}
	return defaultPool
}

func (c *Config) custom() bool { return c.Mode == "statements" }

func (u *Users) typeName() string  { return orElse(u.Type, "user") }
func (g *Groups) typeName() string { return orElse(g.Type, "group") }

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
