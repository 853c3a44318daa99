// Package sftp is a connector to targets that take files: an access-control
// system, a payroll bureau, a learning platform that reads a CSV every night. It
// puts accounts into files and brings the files to the target's SFTP server.
//
// # The model
//
// Operations are about accounts; the target knows files. Between the two stands an
// outbox on this machine (package outbox): what is wanted of each account, which
// changes have been accepted, which publications were made of them.
//
//	hub ──operation──► accept ──────────► outbox ──► seal ──► deliver ──► server
//	hub ◄──pending───  (one transaction)    │     (numbered files,  (temporary name,
//	hub ──poll───────► due? publish. ◄──────┘      on disk here)     rename)
//	hub ◄──applied───  the file with the change is there, and confirmed
//
// Accepting is quick and needs no server. A change is answered Pending; when
// nothing new has come for publish.after, or the first one has waited for
// publish.within, the next poll publishes everything that waits. So one run of the
// hub makes one file, or few, and ends when that file is on the server. There are
// no timers: a connector that nobody asks does nothing, and one that is killed
// goes on where it stopped.
//
// With publish.after 0s each batch is published before it is answered.
//
// A full file is the state: everybody, in the order of keys. A delta file is the
// difference between what is wanted and what the receiver has, one row an
// account, whatever happened in between. Either is worked out from the outbox when
// it is sealed; what is accepted meanwhile goes into the next one.
//
// # What is promised
//
//   - A change that was accepted is in the outbox for good before it is answered,
//     and under its idempotency key only once.
//   - The number, the names and the bytes of a publication are on disk before any of
//     it gets its name on the server. A number is never used twice, and none is left
//     out. The second attempt sends the same bytes under the same names.
//   - After an attempt whose end is not known it looks before it sends: into the
//     folder, into the folders to which the receiver moves files, for a response.
//   - No name that the receiver looks for ever shows a part of a file. Data comes
//     first, then the manifest, then the file that says "done".
//   - Get and List show what the receiver has, never what is merely accepted: the
//     hub, which looks when it is in doubt, takes nothing for done that is not.
//   - An outbox that is empty although the folder holds files is never the beginning
//     of an empty file: it is made anew from the last full file, or the connector
//     stops and says what to do. A full file that has lost too much is held back.
//
// # Errors
//
// What keeps a publication from being made, such as a server that is down or a
// folder without the right to write, concerns all accounts and is answered to polls, as an error of the
// instance; the changes stay accepted. What concerns one account, such as a
// character that the file's encoding lacks, is found when it is accepted. What the
// receiver says of a row comes with its response, where it gives one.
package sftp
