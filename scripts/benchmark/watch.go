package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// watchEvery is how often it is looked at the memory of a process: a peak in its
// last moments is missed.
const watchEvery = 50 * time.Millisecond

// watch looks at a process and its children until the returned function is
// called, which tells the most memory that each had resident, in bytes, by name.
func watch(pid int) (peaks func() map[string]int64) {
	stop, out := make(chan struct{}), make(chan map[string]int64)
	go func() {
		most := map[string]int64{}
		for {
			look(pid, most)
			select {
			case <-stop:
				out <- most
				return
			case <-time.After(watchEvery):
			}
		}
	}()
	return func() map[string]int64 {
		close(stop)
		return <-out
	}
}

// look adds a process and its children. Where the system has no /proc nothing is
// added.
func look(pid int, most map[string]int64) {
	for _, p := range append(childrenOf(pid), pid) {
		var kib int64
		if _, err := fmt.Sscan(field(fmt.Sprintf("/proc/%d/status", p), "VmHWM"), &kib); err == nil {
			name := program(p)
			most[name] = max(most[name], kib*1024)
		}
	}
}

func childrenOf(pid int) (out []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		child, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		// proc_pid_stat(5): pid (name) state ppid …; the name may hold anything.
		stat, _ := os.ReadFile("/proc/" + e.Name() + "/stat")
		var state string
		var parent int
		if _, err := fmt.Sscan(string(stat[bytes.LastIndexByte(stat, ')')+1:]), &state, &parent); err == nil && parent == pid {
			out = append(out, child)
		}
	}
	return out
}

// program is the name of the program that a process runs.
func program(pid int) string {
	path, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)) // "" when it has just ended
	return path[strings.LastIndexByte(path, '/')+1:]
}
