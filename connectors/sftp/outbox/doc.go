// Package outbox keeps, on disk, what has been accepted for a receiver of files and
// what has been published: a small SQLite database and the files that are on their
// way. It knows neither what a row means nor how files travel.
//
//	record    every account as it is wanted, with its line of the file ready made
//	pending   accounts that the receiver has not confirmed so, with what it has
//	change    every operation that was accepted, by its key: what became of it
//	batch     every publication: number, files, hash, how far it has come
//
// Changes gather in an epoch. A publication takes all epochs that are closed and
// not taken yet:
//
//	accepted ─► taken ─► sealed ─► published ─► confirmed
//	   ▲          │      (number, names, sizes, hashes and bytes are on disk)
//	   └──────────┘ abandoned: before it is sealed nothing has left
//
// Until it is confirmed an account that a sealed publication carries is not
// changed again, so that a response of the receiver can be applied to it; only what
// takes the access away overtakes the response.
//
// Everything is one transaction or nothing; a process that is killed at any
// moment finds the state before or after.
package outbox
