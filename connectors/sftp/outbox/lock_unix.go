//go:build unix

package outbox

import (
	"os"
	"syscall"
)

// lockFile takes the file for this process, without waiting; its end lets go.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
