// Package fakesftp is an SFTP server in this process: the real SSH and SFTP wire
// protocols over files in memory, with a receiver that takes files away and with
// faults that a real server cannot be made to show.
//
//	srv, err := fakesftp.New(fakesftp.Options{})
//	config := srv.Config()              // host, user, host_keys; and Password
//	addr, err := srv.Listen(fakesftp.Fault{On: "posix-rename", Do: fakesftp.LoseReply})
//
// Faults look at SFTP packets, so that "after the third write", "before the
// rename" and "after it, without an answer" are exact.
package fakesftp
