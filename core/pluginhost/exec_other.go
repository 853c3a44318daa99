//go:build unix && !linux

package pluginhost

import "os/exec"

// execPath executes the path: without procfs a descriptor cannot be executed.
// Between hashing and executing, whoever may write the file could replace it.
func execPath(cmd *exec.Cmd, b *binary) (release func(), err error) {
	cmd.Path = b.path
	return func() {}, nil
}

// reap takes the exit status and then ends what is left of the group.
func reap(cmd *exec.Cmd, killGroup func()) error {
	err := cmd.Wait()
	killGroup()
	return err
}

func limit(int) error { return nil }
