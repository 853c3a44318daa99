// Package sftp moves files over SFTP the way a connector or a reader of HR files
// should: the server is always known by its host key, a file appears under its
// name whole or not at all, and a failure says what it leaves behind.
//
//	Upload    .NAME.RUN.tmp ─► bytes counted ─► size looked up ─► fsync ─► rename
//	before the rename left     failed: nothing is under the name
//	after it, no answer        unknown: look with Stat before anything else
//	Download  size before ─► bytes counted ─► size after; a difference is an error
//
// A [Client] connects when it is first used and again after the connection
// broke. Every call makes one attempt; nothing is retried here. Errors carry the
// codes of the connector contract.
package sftp
