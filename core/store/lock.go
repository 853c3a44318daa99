//go:build unix

package store

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// tryLockFile takes the lock on the file at path, which is made when there is
// none. The lock is an OS file lock: it ends with the process, however it ends.
// held is false when another process, or another holder in this one, has it;
// then f is open for reading what the holder wrote.
func tryLockFile(path string) (f *os.File, held bool, err error) {
	f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return f, false, nil
	}
	if err != nil {
		f.Close()
		return nil, false, &os.PathError{Op: "lock", Path: path, Err: err}
	}
	return f, true, nil
}

// lockFile waits for the lock.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	for {
		f, held, err := tryLockFile(path)
		if err != nil {
			return nil, err
		}
		if held {
			return func() { f.Close() }, nil
		}
		f.Close()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
