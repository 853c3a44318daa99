package pluginhost

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A unix socket's path may have 107 bytes. go-plugin adds a folder and a file
// of its own below ours: "/plugin-dir" and "/plugin", each with ten digits.
const (
	maxSocketPath  = 107
	socketPathRest = len("/plugin-dir1234567890/plugin1234567890")
	runDirPrefix   = "phub-"
)

// runDir is the private folder of one plugin process: its working directory
// and where its socket lies. The lock on it is gone when the hub is, which is
// how another hub sees that nobody needs the folder any more.
type runDir struct {
	path string
	lock *os.File
}

// newRunDir makes a folder only this user can enter. base is where; "" means
// the user's runtime folder, else the temporary one.
func newRunDir(base string) (*runDir, error) {
	if base == "" {
		base = runtimeBase()
	}
	cleanOnce(base)
	path, err := os.MkdirTemp(base, runDirPrefix) // mode 0700
	if err != nil {
		return nil, fmt.Errorf("make a private folder for a plugin's socket: %w", err)
	}
	d := &runDir{path: path}
	if n := len(path) + socketPathRest; n > maxSocketPath {
		d.remove()
		return nil, fmt.Errorf("the runtime folder %s is too long for a plugin's socket (%d bytes, at most %d): "+
			"set XDG_RUNTIME_DIR to a short path such as /run/provhub", base, n, maxSocketPath)
	}
	if d.lock, err = lockDir(path); err != nil {
		d.remove()
		return nil, fmt.Errorf("lock the plugin folder %s: %w", path, err)
	}
	return d, nil
}

// runtimeBase prefers the folder that is the user's alone and in memory.
func runtimeBase() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" && len(dir)+len("/phub-1234567890")+socketPathRest <= maxSocketPath && unix.Access(dir, unix.W_OK) == nil {
		return dir
	}
	return os.TempDir()
}

func (d *runDir) remove() {
	_ = os.RemoveAll(d.path)
	if d.lock != nil {
		_ = d.lock.Close()
	}
}

func lockDir(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// cleaned holds the folders that this hub has looked through.
var cleaned sync.Map

// cleanOnce removes, at the first start of a plugin, what killed hubs left.
func cleanOnce(base string) {
	if _, done := cleaned.LoadOrStore(base, true); !done {
		cleanRuntimeDir(base)
	}
}

// cleanRuntimeDir removes the folders in base that no hub uses any more and
// returns how many. What cannot be removed, such as another user's, stays.
func cleanRuntimeDir(base string) (removed int) {
	entries, err := os.ReadDir(base)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), runDirPrefix) {
			continue
		}
		info, err := e.Info()
		// A young folder may be between its making and its locking.
		if err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		path := filepath.Join(base, e.Name())
		lock, err := lockDir(path)
		if err != nil {
			continue // in use
		}
		if os.RemoveAll(path) == nil {
			removed++
		}
		_ = lock.Close()
	}
	return removed
}
