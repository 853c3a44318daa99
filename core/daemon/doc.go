// Package daemon is a node: a process that serves an org for good. One works on a
// SQLite file, any number of them on a PostgreSQL database.
//
//	Run ─► serving role ─► term ─┬─ senders   one for each connector that this node has the lock of
//	          ▲                  ├─ bell      tells them that there is work, whoever made it
//	          │ lost: calls are  ├─ jobs      readings of sources and other runs, on one node each
//	          │ given up         ├─ lead      on one node: watches sources, applies what was approved
//	          └──────────────────┴─ heartbeat tells the other nodes that this one is there
//
// HTTP, and what other rooms add with [Node.Background], go on from term to term. A
// node begins nothing while it has no term: another one may have its locks.
package daemon
