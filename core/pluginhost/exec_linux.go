package pluginhost

import (
	"errors"
	"fmt"
	"os/exec"

	"golang.org/x/sys/unix"
)

// descriptorFloor lies above the descriptors that os/exec hands to a child, so
// that the binary's number is still the binary when the child executes it.
const descriptorFloor = 200

// execPath makes cmd execute the very descriptor that was hashed. A compiled
// plugin does not inherit it; a script's interpreter has to read it.
func execPath(cmd *exec.Cmd, b *binary) (release func(), err error) {
	if b.script {
		cmd.ExtraFiles = append(cmd.ExtraFiles, b.file)
		cmd.Path = fmt.Sprintf("/proc/self/fd/%d", 2+len(cmd.ExtraFiles))
		return func() {}, nil
	}
	fd, err := unix.FcntlInt(b.file.Fd(), unix.F_DUPFD_CLOEXEC, descriptorFloor)
	if err != nil {
		return nil, fmt.Errorf("duplicate the descriptor of plugin %s: %w", b.path, err)
	}
	cmd.Path = fmt.Sprintf("/proc/self/fd/%d", fd)
	return func() { _ = unix.Close(fd) }, nil
}

// reap waits for the process to end, calls killGroup and then takes its exit
// status. In this order: until a process is reaped its number, which is its
// group's too, cannot be given to another.
func reap(cmd *exec.Cmd, killGroup func()) error {
	for {
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	killGroup()
	return cmd.Wait()
}

// limit takes core dumps, which would hold secrets, and too many descriptors
// from the process. It runs before the process gets any secret.
func limit(pid int) error {
	if err := unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil); err != nil {
		return fmt.Errorf("switch off core dumps: %w", err)
	}
	files := &unix.Rlimit{Cur: 1024, Max: 1024}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, files, nil); err != nil {
		return fmt.Errorf("limit descriptors: %w", err)
	}
	return nil
}
