//go:build unix

package sdk

import (
	"os"
	"strconv"
	"syscall"
)

// closeOnExec keeps the descriptors that the launcher handed over from children
// of the connector: a child that holds the lifeline, or the plugin's own binary
// open for writing, would outlive it.
func closeOnExec() {
	for _, dir := range []string{"/proc/self/fd", "/dev/fd"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
				syscall.CloseOnExec(fd)
			}
		}
		return
	}
}

// leave ends the process at once and, when it leads its own process group,
// every child with it.
func leave() {
	if pid := os.Getpid(); syscall.Getpgrp() == pid {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	os.Exit(0)
}
