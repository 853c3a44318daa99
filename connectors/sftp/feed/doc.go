// Package feed knows what files look like: how an account becomes a row, in which
// characters, how files are named, what a manifest says, and how all of it is read
// back. It holds no state and opens no connection.
//
//	Row ─► [Layout] ─► cells ─► CSV or JSON line ─► characters ─► gzip ─► OpenPGP
//
// The same rows always give the same bytes, up to OpenPGP, which cannot.
package feed
