// Package sql provisions accounts into the tables of an app's own database.
//
// In table mode the config names the tables and the connector writes the SQL:
// one transaction per account holds its row, its role rows and its history. In
// statements mode the config holds the SQL, stored procedure calls included.
//
//	operations of one account ─► unit ─► look up what is there (natural key, anchor)
//	                                      │
//	                                      ▼
//	                               plan the statements ──► locked path: SELECT … FOR UPDATE, then write
//	                                                  └──► pipelined path (PostgreSQL): many accounts
//	                                                       in one round trip, each its own transaction
//
// An account is found by the natural key that we own, never by "whatever unique
// index matches": a create whose mail belongs to somebody else is a conflict.
package sql
